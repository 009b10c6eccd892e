using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>An application with a container of its own: that of a bare <see cref="BackchannelHost"/>.</summary>
internal sealed class InnerWebApplication(WebApplication app) : IInnerApplication
{
    public ILoggerFactory Loggers { get; } = app.Services.GetRequiredService<ILoggerFactory>();

    public IMeterFactory Meters { get; } = app.Services.GetRequiredService<IMeterFactory>();

    public Task StartAsync(CancellationToken cancellationToken) => app.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => app.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
