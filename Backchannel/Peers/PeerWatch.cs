using System.Runtime.CompilerServices;

namespace Backchannel;

/// <summary>
/// What one observer has not heard yet. Whoever comes and goes before it is told of costs nothing: so there is at most one change for each peer that is
/// attached, and one for each that it was told of and has not heard has gone. Telling it never waits.
/// </summary>
internal sealed class PeerWatch(PeerNames names) : IPeerNamesWatch, IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(PresentPeer Key, PeerChange Change)> _pending = [];
    private readonly Dictionary<PresentPeer, LinkedListNode<(PresentPeer Key, PeerChange Change)>> _untold = [];
    private TaskCompletionSource? _waiting;

    /// <summary>How many changes wait.</summary>
    public int PendingCount
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    public void OnConnected(PresentPeer peer)
    {
        lock (_gate)
        {
            _untold.Add(peer, _pending.AddLast((peer, new PeerChange(PeerChangeKind.Connected, peer.Location))));
            WakeUnsynchronized();
        }
    }

    public void OnDisconnected(PresentPeer peer, PeerDisconnectReason reason)
    {
        lock (_gate)
        {
            if (_untold.Remove(peer, out var untold))
            {
                _pending.Remove(untold);
                return;
            }

            _pending.AddLast((peer, new PeerChange(PeerChangeKind.Disconnected, peer.Location, reason)));
            WakeUnsynchronized();
        }
    }

    /// <summary>The changes, one after the other, without end.</summary>
    public async IAsyncEnumerable<PeerChange> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryTake(out var waiting) is { } change)
            {
                yield return change;
            }
            else
            {
                await waiting!.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The next change; null: there is none now.</summary>
    public PeerChange? TryTake() => TryTake(out _);

    public void Dispose() => names.EndWatch(this);

    /// <summary>The next change; null: there is none, and the task completes when there is.</summary>
    private PeerChange? TryTake(out Task? waiting)
    {
        lock (_gate)
        {
            if (_pending.First is { } first)
            {
                waiting = null;
                _pending.RemoveFirst();
                _untold.Remove(first.Value.Key);
                return first.Value.Change;
            }

            _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting = _waiting.Task;
            return null;
        }
    }

    private void WakeUnsynchronized()
    {
        _waiting?.SetResult();
        _waiting = null;
    }
}
