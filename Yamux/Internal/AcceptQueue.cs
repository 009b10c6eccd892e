using System.Diagnostics.CodeAnalysis;

namespace Yamux.Internal;

/// <summary>
/// The streams that the peer has opened and nobody has accepted yet, oldest first. A stream that is reset while it waits
/// leaves at once. Thread safe, for any number of acceptors.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is never asked for has nothing to dispose.")]
internal sealed class AcceptQueue(int capacity)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<YamuxStream> _waiting = [];
    private readonly SemaphoreSlim _available = new(0);
    private bool _ended;

    /// <summary>Whether one more stream would be one too many.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count >= capacity;
            }
        }
    }

    public void Add(YamuxStream stream)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            stream.AcceptPlace = _waiting.AddLast(stream);
            _available.Release();
        }
    }

    /// <summary>Takes a stream out of the queue. False if it had left it already.</summary>
    public bool Remove(YamuxStream stream)
    {
        lock (_gate)
        {
            if (stream.AcceptPlace is not { List: not null })
            {
                return false;
            }

            LeaveUnsynchronized(stream);

            // An acceptor that was let through already finds nothing and waits again.
            _available.Wait(0);
            return true;
        }
    }

    /// <summary>Takes the oldest stream, as soon as there is one; null when the queue has ended and is empty.</summary>
    public async ValueTask<YamuxStream?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                if (_waiting.First is { Value: var stream })
                {
                    LeaveUnsynchronized(stream);
                    return stream;
                }

                if (_ended)
                {
                    _available.Release(); // For the next acceptor.
                    return null;
                }
            }
        }
    }

    /// <summary>
    /// Ends the queue: acceptors get what still waits, for the peer may have sent and closed all of it, and then null.
    /// With <paramref name="drop"/> they get null at once. Does nothing the second time.
    /// </summary>
    public void End(bool drop)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            if (drop)
            {
                _waiting.Clear();
            }

            _available.Release();
        }
    }

    private void LeaveUnsynchronized(YamuxStream stream)
    {
        _waiting.Remove(stream.AcceptPlace!);
        stream.AcceptPlace = null;
    }
}
