using System.Collections.Concurrent;

namespace Backchannel;

/// <summary>The peers by name. What is found is found without a lock; what changes is told to the watches in one order.</summary>
internal sealed class PeerNames(DuplicateNames duplicates, int mostOfOneName)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, PeersOfName> _names = new(StringComparer.Ordinal);
    private readonly List<IPeerNamesWatch> _watches = [];
    private readonly Dictionary<string, PeerWaiters> _waiters = new(StringComparer.Ordinal);
    private TaskCompletionSource? _emptied;
    private int _count;
    private long _lastNumber;

    /// <summary>How many are attached.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The one to call under this name; null if there is none.</summary>
    /// <param name="name">The name.</param>
    /// <param name="except">None of these; null: any.</param>
    public BackchannelPeer? Find(string name, IReadOnlyCollection<ICallTarget>? except = null)
        => _names.TryGetValue(name, out var peers) ? peers.Pick(duplicates == DuplicateNames.Spread, except ?? []) : null;

    /// <summary>The one to call where no newer one of another replica's can be reached; null if there is none.</summary>
    public BackchannelPeer? FindEclipsed(string name, IReadOnlyCollection<ICallTarget> except)
        => _names.TryGetValue(name, out var peers) ? peers.Peers.LastOrDefault(present => present.Peer.TakesCalls && !except.Contains(present.Peer))?.Peer : null;

    /// <summary>The attachment of this number, or if that is 0, the one to call; null if there is none.</summary>
    public PresentPeer? Find(string name, long number)
    {
        if (!_names.TryGetValue(name, out var peers))
        {
            return null;
        }

        return number != 0 ? peers.Peers.FirstOrDefault(present => present.Number == number) : peers.Peers.LastOrDefault(present => present.Peer.TakesCalls);
    }

    /// <summary>Takes the next number of an attachment.</summary>
    public long NextNumber() => Interlocked.Increment(ref _lastNumber);

    /// <summary>All that are attached, in no order.</summary>
    public IReadOnlyList<PresentPeer> List() => [.. _names.Values.SelectMany(peers => peers.Peers)];

    /// <summary>A peer attaches. What was attached as the same instance goes.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="superseded">What it takes the place of, if there is that.</param>
    public AttachResult Attach(PresentPeer peer, out PresentPeer? superseded)
    {
        superseded = null;
        lock (_gate)
        {
            var known = _names.TryGetValue(peer.Name, out var peers);
            peers ??= new PeersOfName();
            var present = peers.Peers;
            var before = present.FirstOrDefault(other => other.Identity.IsSameInstance(peer.Identity));
            var others = present.Count - (before is null ? 0 : 1);
            if (others >= mostOfOneName)
            {
                return AttachResult.TooMany;
            }

            if (others > 0 && duplicates == DuplicateNames.RefuseNewer)
            {
                return AttachResult.NameInUse;
            }

            if (!peer.Peer.TryAttach(peer, inPlaceOf: before?.Peer == peer.Peer ? before : null))
            {
                return AttachResult.AttachedAlready;
            }

            // The new one first, so that there is no moment without.
            peers.Add(peer);
            _count++;
            Tell(watch => watch.OnConnected(peer));
            if (before is not null)
            {
                RemoveUnsynchronized(peers, before, PeerDisconnectReason.Superseded);
                superseded = before;
            }

            if (!known)
            {
                _names[peer.Name] = peers;
            }

            if (_waiters.Remove(peer.Name, out var waiters))
            {
                waiters.Come.SetResult();
            }

            return AttachResult.Attached;
        }
    }

    /// <summary>A peer is no longer attached. False: it was not, or something else has ended it before.</summary>
    public bool Detach(PresentPeer peer, PeerDisconnectReason reason)
    {
        lock (_gate)
        {
            if (!_names.TryGetValue(peer.Name, out var peers) || !RemoveUnsynchronized(peers, peer, reason))
            {
                return false;
            }

            if (peers.Peers.Count == 0)
            {
                _names.TryRemove(peer.Name, out _);
            }

            return true;
        }
    }

    /// <summary>The one to call under this name, as soon as there is one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="except">None of these; null: any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<BackchannelPeer> WaitAsync(string name, IReadOnlyCollection<ICallTarget>? except, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            PeerWaiters waiters;
            lock (_gate)
            {
                if (Find(name, except) is { } peer)
                {
                    return peer;
                }

                if (!_waiters.TryGetValue(name, out waiters!))
                {
                    _waiters.Add(name, waiters = new PeerWaiters());
                }

                waiters.Count++;
            }

            try
            {
                await waiters.Come.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                lock (_gate)
                {
                    if (--waiters.Count == 0 && _waiters.GetValueOrDefault(name) == waiters)
                    {
                        _waiters.Remove(name);
                    }
                }
            }
        }
    }

    /// <summary>Completes as soon as nobody is attached.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_gate)
        {
            if (_count == 0)
            {
                return Task.CompletedTask;
            }

            _emptied ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _emptied.Task;
        }
    }

    /// <summary>Begins to tell of those that are attached, and then of what changes.</summary>
    public PeerWatch Watch()
    {
        lock (_gate)
        {
            var watch = new PeerWatch(this);
            BeginUnsynchronized(watch);
            return watch;
        }
    }

    /// <summary>The same, to this one. It must not call out, or wait.</summary>
    public void BeginWatch(IPeerNamesWatch watch)
    {
        lock (_gate)
        {
            BeginUnsynchronized(watch);
        }
    }

    /// <summary>Tells it no more.</summary>
    public void EndWatch(IPeerNamesWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
        }
    }

    private void BeginUnsynchronized(IPeerNamesWatch watch)
    {
        foreach (var peer in List())
        {
            watch.OnConnected(peer);
        }

        _watches.Add(watch);
    }

    private bool RemoveUnsynchronized(PeersOfName peers, PresentPeer peer, PeerDisconnectReason reason)
    {
        if (!peers.Remove(peer))
        {
            return false;
        }

        _count--;
        peer.Peer.OnDetached(peer);
        Tell(watch => watch.OnDisconnected(peer, reason));
        if (_count == 0)
        {
            _emptied?.SetResult();
            _emptied = null;
        }

        return true;
    }

    private void Tell(Action<IPeerNamesWatch> tell) => _watches.ForEach(tell);
}
