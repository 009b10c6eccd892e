using Yamux;

namespace Backchannel;

/// <summary>The streams of one session that HTTP handlers have as connections of theirs.</summary>
/// <param name="explain">What to say if the peer ends the session, or the stream, instead of answering there.</param>
internal sealed class LentStreams(Func<YamuxException, string> explain)
{
    private readonly Lock _gate = new();
    private readonly HashSet<LentStream> _streams = [];
    private bool _closed;

    /// <summary>Raised when none is left. Not under any lock.</summary>
    public event Action? Emptied;

    /// <summary>Raised when the peer says on one of them that it takes no further requests there.</summary>
    public event Action? PeerLeaving;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count == 0;
            }
        }
    }

    /// <summary>Null, and the stream aborted, if they are closed.</summary>
    public LentStream? TryLend(YamuxStream stream)
    {
        var lent = new LentStream(this, stream);
        lock (_gate)
        {
            if (!_closed)
            {
                _streams.Add(lent);
                return lent;
            }
        }

        stream.Abort();
        return null;
    }

    /// <summary>Lends no more, and has the handlers give back what they have when their requests have ended.</summary>
    public void Close()
    {
        LentStream[] streams;
        lock (_gate)
        {
            _closed = true;
            streams = [.. _streams];
        }

        foreach (var stream in streams)
        {
            stream.RequestClose();
        }
    }

    public void OnDisposed(LentStream lent)
    {
        lock (_gate)
        {
            if (!_streams.Remove(lent) || _streams.Count > 0)
            {
                return;
            }
        }

        Emptied?.Invoke();
    }

    public void OnGoAway() => PeerLeaving?.Invoke();

    public IOException Unanswered(YamuxException failure) => new(explain(failure), failure);
}
