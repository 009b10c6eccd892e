using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Begins and ends what makes the server a replica: before anybody can attach, and when nobody is attached any more.</summary>
internal sealed class ReplicaService(
    ReplicaMembership membership,
    PeerRegistrar registrar,
    LinkMiddleware endpoint,
    FarPeers far,
    ReplicaLinks links,
    IOptions<BackchannelReplicaOptions> options,
    ILoggerFactory loggers)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        options.Value.Validate();
        registrar.Start();
        await membership.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!endpoint.HasEndpoint)
        {
            ReplicaLog.NoEndpoint(loggers.CreateLogger("Backchannel.Replicas"));
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await registrar.StopAsync(cancellationToken).ConfigureAwait(false);
        await membership.StopAsync(cancellationToken).ConfigureAwait(false);
        await far.DisposeAsync().ConfigureAwait(false);
        await links.DisposeAsync().ConfigureAwait(false);
    }
}
