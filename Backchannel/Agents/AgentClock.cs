using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <summary>The clock of the agent: the container's <see cref="System.TimeProvider"/>, if there is one.</summary>
internal sealed class AgentClock(IServiceProvider services)
{
    public TimeProvider TimeProvider { get; } = services.GetService<TimeProvider>() ?? TimeProvider.System;
}
