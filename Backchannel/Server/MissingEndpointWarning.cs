using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Says when the server has started without an endpoint that has a backchannel: Kestrel does not tell of an endpoint's name that its configuration has not.</summary>
internal sealed class MissingEndpointWarning(BackchannelRegistry registry, ILoggerFactory loggers) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!registry.HasEndpoint)
        {
            BackchannelLog.NoEndpoint(loggers.CreateLogger("Backchannel.Server"));
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
