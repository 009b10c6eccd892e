using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Backchannel.V1;
using Microsoft.Extensions.Options;
using Yamux;

namespace Backchannel;

/// <summary>Asks the other replicas who is attached to them: each knows its own, and nobody else does for certain.</summary>
internal sealed class FarLists(ReplicaMembership membership, ReplicaLinks links, IOptions<BackchannelReplicaOptions> options, IOptions<BackchannelServerOptions> server)
{
    // Changes that were read and not taken. Behind them the replicas wait, which leave out who has come and gone meanwhile.
    private const int MostPending = 256;

    private readonly TimeProvider _timeProvider = server.Value.Yamux.TimeProvider;

    /// <summary>A page of each other replica's agents behind a name.</summary>
    /// <returns>Those of all, and the ids of the replicas that did not answer.</returns>
    public async Task<(List<PeerLocation> Peers, List<string> Unreachable)> ListAsync(string after, int count, CancellationToken cancellationToken)
    {
        var others = membership.Live.Values.Where(replica => replica.Id != membership.Id).ToArray();
        var pages = await Task.WhenAll(others.Select(replica => ListAsync(replica, after, count, cancellationToken))).ConfigureAwait(false);
        return ([.. pages.SelectMany(page => page ?? [])], [.. others.Where((_, i) => pages[i] is null).Select(replica => replica.Id)]);
    }

    /// <summary>All that are attached to the other replicas, and then who comes and goes, until it is cancelled. Who is attached to a replica that cannot be reached any more has gone.</summary>
    public async IAsyncEnumerable<PeerChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<PeerChange>(MostPending);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = DetachedTask.Run(() => WatchAllAsync(changes.Writer, over.Token));
        try
        {
            await foreach (var change in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    // Null: it did not answer.
    private async Task<List<PeerLocation>?> ListAsync(ReplicaRecord replica, string after, int count, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.Value.ConnectTimeout, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var opening = await links.Get(replica).OpenAsync(new LinkHeader(replica.Id, membership.Id, after, count, LinkKind.List), either.Token).ConfigureAwait(false);
            if (opening.Stream is not { } stream)
            {
                return null;
            }

            var peers = new List<PeerLocation>();
            await using (stream.ConfigureAwait(false))
            {
                while (await LinkMessages.ReadAsync(stream.Input, either.Token).ConfigureAwait(false) is { } peer)
                {
                    peers.Add(new PeerLocation(peer.Name, replica.Id, peer.Attachment, null));
                }
            }

            return peers;
        }
        catch (Exception failure) when (failure is IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    private async Task WatchAllAsync(ChannelWriter<PeerChange> changes, CancellationToken cancellationToken)
    {
        var running = new Dictionary<string, Task>(StringComparer.Ordinal);
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var replica in membership.Live.Values)
            {
                if (replica.Id != membership.Id && running.GetValueOrDefault(replica.Id) is null or { IsCompleted: true })
                {
                    running[replica.Id] = WatchAsync(replica, changes, cancellationToken);
                }
            }

            await Task.Delay(options.Value.RenewInterval, _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(running.Values).ConfigureAwait(false);
    }

    // Until the replica cannot be reached.
    private async Task WatchAsync(ReplicaRecord replica, ChannelWriter<PeerChange> changes, CancellationToken cancellationToken)
    {
        var present = new Dictionary<long, PeerLocation>();
        try
        {
            var opening = await links.Get(replica).OpenAsync(new LinkHeader(replica.Id, membership.Id, "", 0, LinkKind.Watch), cancellationToken).ConfigureAwait(false);
            if (opening.Stream is not { } stream)
            {
                return;
            }

            try
            {
                while (await LinkMessages.ReadAsync(stream.Input, cancellationToken).ConfigureAwait(false) is { } peer)
                {
                    if (Apply(replica, peer, present) is { } change)
                    {
                        await changes.WriteAsync(change, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                stream.Abort(); // It would tell on.
            }
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // It has gone, or nobody watches any more.
        }

        foreach (var location in present.Values)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await changes.WriteAsync(new PeerChange(PeerChangeKind.Disconnected, location, PeerDisconnectReason.ReplicaUnreachable), CancellationToken.None).AsTask()
                .WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static PeerChange? Apply(ReplicaRecord replica, LinkPeer peer, Dictionary<long, PeerLocation> present)
    {
        if (!peer.Gone)
        {
            var location = new PeerLocation(peer.Name, replica.Id, peer.Attachment, null);
            return present.TryAdd(peer.Attachment, location) ? new PeerChange(PeerChangeKind.Connected, location) : null;
        }

        var reason = Enum.IsDefined((PeerDisconnectReason)peer.Reason) ? (PeerDisconnectReason)peer.Reason : PeerDisconnectReason.ConnectionLost;
        return present.Remove(peer.Attachment, out var known) ? new PeerChange(PeerChangeKind.Disconnected, known, reason) : null;
    }
}
