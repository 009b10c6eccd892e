using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>The links to the other replicas, by their ids.</summary>
internal sealed class ReplicaLinks(
    LinkDialer dialer, IOptions<BackchannelReplicaOptions> options, IOptions<BackchannelServerOptions> server, ReplicaMetrics metrics, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ReplicaLink> _links = new(StringComparer.Ordinal);
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Replicas");

    /// <summary>The link to a replica, whether or not there is a connection.</summary>
    public ReplicaLink Get(ReplicaRecord replica)
        => _links.GetOrAdd(replica.Id, static (_, all) => all.Self.Create(all.Replica), (Self: this, Replica: replica));

    /// <summary>The link to a replica of which there is a connection now; null: none.</summary>
    public ReplicaLink? FindUp(string replicaId) => _links.TryGetValue(replicaId, out var link) && link.IsUp ? link : null;

    /// <summary>Lets go of links to replicas that do not live any more, and with which there is no connection.</summary>
    public async ValueTask ForgetAsync(IReadOnlyDictionary<string, ReplicaRecord> live)
    {
        foreach (var (id, link) in _links)
        {
            if (!live.ContainsKey(id) && !link.IsUp && _links.TryRemove(KeyValuePair.Create(id, link)))
            {
                await link.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in _links.Keys)
        {
            if (_links.TryRemove(id, out var link))
            {
                await link.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private ReplicaLink Create(ReplicaRecord replica) => new(replica, dialer, options.Value, metrics, server.Value.Yamux.TimeProvider, _logger);
}
