using Microsoft.Extensions.DependencyInjection;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelAgentBuilder"/>
internal sealed class BackchannelAgentBuilder(IServiceCollection services) : IBackchannelAgentBuilder
{
    public IServiceCollection Services => services;
}
