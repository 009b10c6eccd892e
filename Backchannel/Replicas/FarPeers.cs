using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>The agents of other replicas that are called, and the look for those that are not known yet: one at a time for each name, and none for a while where nobody was found.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class FarPeers : IAsyncDisposable
{
    private const int MostMisses = 10_000;

    // For so long nobody asks again for a name that nobody has; a registration of it is heard of before.
    private static readonly TimeSpan MissLasts = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    private readonly BackchannelDirectory _directory;
    private readonly ReplicaMembership _membership;
    private readonly ReplicaLinks _links;
    private readonly ReplicaMetrics _metrics;
    private readonly PeerChannels _channels;
    private readonly BackchannelReplicaOptions _options;
    private readonly BackchannelServerOptions _server;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<(string Replica, string Name, long Attachment), FarPeer> _peers = new();
    private readonly ConcurrentDictionary<string, FarPlace> _places = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FarSearch> _searches = new(StringComparer.Ordinal); // Those that run.
    private readonly Dictionary<string, long> _misses = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _sweep;

    public FarPeers(
        BackchannelDirectory directory,
        ReplicaMembership membership,
        ReplicaLinks links,
        ReplicaMetrics metrics,
        PeerChannels channels,
        IOptions<BackchannelReplicaOptions> options,
        IOptions<BackchannelServerOptions> server,
        ILoggerFactory loggers)
    {
        _directory = directory;
        _membership = membership;
        _links = links;
        _metrics = metrics;
        _channels = channels;
        _options = options.Value;
        _server = server.Value;
        _timeProvider = _server.Yamux.TimeProvider;
        _logger = loggers.CreateLogger("Backchannel.Replicas");
        directory.Changed += OnChanged;
        using (ExecutionContext.SuppressFlow())
        {
            _sweep = _timeProvider.CreateTimer(static self => ((FarPeers)self!).Sweep(), this, SweepInterval, SweepInterval);
        }
    }

    /// <summary>Raised with a name of which something has changed.</summary>
    public event Action<string>? Changed;

    /// <summary>The one that is known, and can be called at once.</summary>
    public FarPeer? FindReady(string name, IReadOnlyCollection<ICallTarget> except)
    {
        if (!_places.TryGetValue(name, out var place) || !place.Peer.IsReady || _timeProvider.GetElapsedTime(place.Since) > _options.FarPeerIdleTimeout || (except.Count > 0 && except.Contains(place.Peer)))
        {
            return null;
        }

        place.Peer.Touch();
        _metrics.CallForwarded();
        return place.Peer;
    }

    /// <summary>Looks for one, and makes a connection to it.</summary>
    public async ValueTask<Found> FindAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        if (except.Count > 0)
        {
            return Count(await SearchAsync(name, except, cancellationToken).ConfigureAwait(false)); // Of one call's alone.
        }

        FarSearch search;
        lock (_gate)
        {
            if (IsMissUnsynchronized(name))
            {
                return default;
            }

            if (!_searches.TryGetValue(name, out search!))
            {
                _searches.Add(name, search = new FarSearch());
                search.Task = DetachedTask.Run(() => SearchOnceAsync(name, search));
            }
        }

        return Count(await search.Task.WaitAsync(cancellationToken).ConfigureAwait(false));
    }

    public async ValueTask DisposeAsync()
    {
        _directory.Changed -= OnChanged;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _sweep.DisposeAsync().ConfigureAwait(false);
        Task[] searching;
        lock (_gate)
        {
            searching = [.. _searches.Values.Select(search => search.Task)];
        }

        await Task.WhenAll(searching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var peer in _peers.Values)
        {
            peer.Close();
        }
    }

    private Found Count(Found found)
    {
        if (found.Target is not null)
        {
            _metrics.CallForwarded();
        }

        return found;
    }

    private bool IsMissUnsynchronized(string name) => _misses.TryGetValue(name, out var at) && _timeProvider.GetElapsedTime(at) < MissLasts;

    private async Task<Found> SearchOnceAsync(string name, FarSearch search)
    {
        var found = default(Found);
        try
        {
            using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _timeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
            return found = await SearchAsync(name, [], either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return found = new Found(null, new Status(StatusCode.Unavailable, $"peer \"{name}\" was not found at another replica within {_options.ConnectTimeout.TotalSeconds} s"));
        }
        finally
        {
            lock (_gate)
            {
                _searches.Remove(name);
                if (found is { Target: null, Why: null } && !search.IsOutdated)
                {
                    RememberMissUnsynchronized(name);
                }
            }
        }
    }

    private void RememberMissUnsynchronized(string name)
    {
        if (_misses.Count >= MostMisses)
        {
            foreach (var old in _misses.Where(miss => _timeProvider.GetElapsedTime(miss.Value) >= MissLasts).Select(miss => miss.Key).ToArray())
            {
                _misses.Remove(old);
            }
        }

        if (_misses.Count < MostMisses)
        {
            _misses[name] = _timeProvider.GetTimestamp();
        }
    }

    private async ValueTask<Found> SearchAsync(string name, IReadOnlyCollection<ICallTarget> except, CancellationToken cancellationToken)
    {
        Status? why = null;
        if (_places.TryGetValue(name, out var known) && _timeProvider.GetElapsedTime(known.Since) <= _options.FarPeerIdleTimeout && !except.Contains(known.Peer))
        {
            // Where it was: its replica knows whether it still is, and the directory need not be asked.
            var opening = await TryAsync(name, known.Peer, cancellationToken).ConfigureAwait(false);
            if (opening.IsHere)
            {
                return new Found(known.Peer);
            }

            why = known.Peer.Explain(opening);
        }

        _places.TryRemove(name, out _);
        IReadOnlyList<PeerRecord> records;
        try
        {
            records = await _directory.FindAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryUnavailableException failure)
        {
            _metrics.DirectoryFailed();
            return await AskAllAsync(name, except, failure.Message, cancellationToken).ConfigureAwait(false);
        }

        foreach (var record in records)
        {
            if (record.Replica == _membership.Id || await ReachAsync(record.Replica, cancellationToken).ConfigureAwait(false) is not { } replica)
            {
                continue;
            }

            var peer = GetPeer(replica, name, record.Attachment);
            if (peer is null)
            {
                return new Found(null, new Status(StatusCode.ResourceExhausted, FormattableString.Invariant($"calls to {_options.MaxFarPeers} agents of other replicas run, which is the most ({nameof(BackchannelReplicaOptions)}.{nameof(BackchannelReplicaOptions.MaxFarPeers)})")));
            }

            if (except.Contains(peer))
            {
                continue;
            }

            var opening = await TryAsync(name, peer, cancellationToken).ConfigureAwait(false);
            if (opening.IsHere)
            {
                return new Found(peer);
            }

            why ??= peer.Explain(opening);
        }

        return new Found(null, why);
    }

    private async ValueTask<LinkOpening> TryAsync(string name, FarPeer peer, CancellationToken cancellationToken)
    {
        var opening = await peer.PrepareAsync(cancellationToken).ConfigureAwait(false);
        if (opening.IsHere)
        {
            _places[name] = new FarPlace(peer, _timeProvider.GetTimestamp());
        }
        else if (opening.Answer == LinkAnswer.OtherReplica)
        {
            ReplicaLog.OtherReplica(_logger, name, peer.Location.Replica!, peer.Replica.Address);
        }

        return opening;
    }

    // While the directory is away: all that can be reached, at once. Who has the name says so.
    private async ValueTask<Found> AskAllAsync(string name, IReadOnlyCollection<ICallTarget> except, string reason, CancellationToken cancellationToken)
    {
        var asked = _membership.Live.Values.Where(replica => replica.Id != _membership.Id)
            .Select(replica => GetPeer(replica, name, 0)).OfType<FarPeer>().Where(peer => !except.Contains(peer)).ToArray();
        var answers = await Task.WhenAll(asked.Select(peer => TryAsync(name, peer, cancellationToken).AsTask())).ConfigureAwait(false);
        var at = Array.FindIndex(answers, answer => answer.IsHere);
        if (at >= 0)
        {
            _places[name] = new FarPlace(asked[at], _timeProvider.GetTimestamp());
            return new Found(asked[at]);
        }

        var failed = Array.FindIndex(answers, answer => answer.Answer != LinkAnswer.NotHere);
        var more = failed < 0 ? "" : $"; {asked[failed].Explain(answers[failed]).Detail}";
        return new Found(null, new Status(StatusCode.Unavailable, FormattableString.Invariant($"no peer is called \"{name}\" here, nor at the {asked.Length} replicas that were asked{more}; {reason}")));
    }

    // One that has no lease lives if there is a link to it; null: it is dead.
    private async ValueTask<ReplicaRecord?> ReachAsync(string replicaId, CancellationToken cancellationToken)
        => _links.FindUp(replicaId)?.Replica ?? await _membership.FindAsync(replicaId, cancellationToken).ConfigureAwait(false);

    // Null: there are as many as may be, and all are called.
    private FarPeer? GetPeer(ReplicaRecord replica, string name, long attachment)
    {
        var key = (replica.Id, name, attachment);
        if (_peers.TryGetValue(key, out var known))
        {
            return known;
        }

        lock (_gate)
        {
            if (_peers.Count >= _options.MaxFarPeers && !TryMakeRoomUnsynchronized())
            {
                return null;
            }

            return _peers.GetOrAdd(key, _ => new FarPeer(replica, name, attachment, _membership.Id, _links.Get(replica), _channels, _options, _server));
        }
    }

    private bool TryMakeRoomUnsynchronized()
    {
        var (key, oldest) = _peers.Where(pair => pair.Value.IdleTime > TimeSpan.Zero).MaxBy(pair => pair.Value.IdleTime);
        if (oldest is null)
        {
            return false;
        }

        Remove(key, oldest);
        return true;
    }

    private void Remove((string Replica, string Name, long Attachment) key, FarPeer peer)
    {
        _peers.TryRemove(KeyValuePair.Create(key, peer));
        if (_places.TryGetValue(key.Name, out var place) && place.Peer == peer)
        {
            _places.TryRemove(KeyValuePair.Create(key.Name, place));
        }

        peer.Close();
    }

    private void OnChanged(string name)
    {
        lock (_gate)
        {
            _misses.Remove(name);
            if (_searches.TryGetValue(name, out var search))
            {
                search.IsOutdated = true;
            }
        }

        // A newer one may be there: the next call looks. What runs goes on.
        _places.TryRemove(name, out _);
        Changed?.Invoke(name);
    }

    private void Sweep()
    {
        foreach (var (key, peer) in _peers)
        {
            if (peer.IdleTime > _options.FarPeerIdleTimeout)
            {
                lock (_gate)
                {
                    Remove(key, peer);
                }
            }
        }
    }
}
