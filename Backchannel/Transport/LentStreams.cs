using Yamux;

namespace Backchannel;

/// <summary>The streams of one session that HTTP handlers have as connections of theirs.</summary>
/// <param name="explain">What to say if the peer ends the session, or the stream, instead of answering there.</param>
/// <param name="timeProvider">The session's clock.</param>
/// <param name="reasonWhenEmptied">Why no more are lent once none is left. Null: more are.</param>
/// <param name="most">How many are kept. Beyond that the oldest are asked back: a handler that nobody uses any more may be forgotten, and never dispose of its own.</param>
internal sealed class LentStreams(Func<YamuxException?, string> explain, TimeProvider timeProvider, string? reasonWhenEmptied = null, int most = int.MaxValue)
{
    private readonly Lock _gate = new();
    private readonly List<LentStream> _streams = []; // The oldest first.
    private int _unseen;
    private string? _closeReason;

    /// <summary>Raised once, when no more are lent and none is left. Not under any lock.</summary>
    public event Action? Ended;

    /// <summary>Raised when the peer says on one of them that it takes no further requests there.</summary>
    public event Action? PeerLeaving;

    /// <summary>Why no more are lent; null while they are.</summary>
    public string? CloseReason => Volatile.Read(ref _closeReason);

    /// <summary>Whether no more are lent and none is left.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _closeReason is not null && IsEmptyUnsynchronized;
            }
        }
    }

    /// <summary>Whether a handler has one that it was not asked to give back.</summary>
    public bool IsInUse
    {
        get
        {
            lock (_gate)
            {
                return _streams.Exists(lent => !lent.IsAskedBack);
            }
        }
    }

    private bool IsEmptyUnsynchronized => _streams.Count == 0 && _unseen == 0;

    /// <summary>Counts one whose bytes nobody looks at here, and whose user hears from its other end that it is to end. <see cref="TakeBackUnseen"/> must follow. False: none is lent.</summary>
    /// <param name="most">How many there may be at once.</param>
    /// <param name="isFull">Whether there are as many.</param>
    public bool TryLendUnseen(int most, out bool isFull)
    {
        lock (_gate)
        {
            isFull = _unseen >= most;
            if (isFull || _closeReason is not null)
            {
                return false;
            }

            _unseen++;
            return true;
        }
    }

    public void TakeBackUnseen()
    {
        bool hasEnded;
        lock (_gate)
        {
            _unseen--;
            hasEnded = _closeReason is not null && IsEmptyUnsynchronized;
        }

        if (hasEnded)
        {
            Ended?.Invoke();
        }
    }

    /// <summary>Null, and the stream aborted, if no more are lent.</summary>
    public LentStream? TryLend(YamuxStream stream)
    {
        var lent = new LentStream(this, stream, timeProvider);
        if (!TryAdd(lent, out var oldest))
        {
            stream.Abort();
            return null;
        }

        oldest?.RequestClose();
        return lent;
    }

    /// <summary>The peer takes no more than there are: the next try is to find one less.</summary>
    public void OnRefused(LentStream refused)
    {
        LentStream? oldest;
        lock (_gate)
        {
            // One that was asked is about to make room, or has calls that run.
            oldest = most == int.MaxValue || _streams.Exists(lent => lent != refused && lent.IsAskedBack) ? null : FindOldestUnsynchronized();
        }

        oldest?.RequestClose();
    }

    /// <summary>Lends no more, and has the handlers give back what they have when their requests have ended.</summary>
    /// <returns>Whether it is the first time.</returns>
    public bool Close(string reason)
    {
        LentStream[] streams;
        bool isEmpty;
        lock (_gate)
        {
            if (_closeReason is not null)
            {
                return false;
            }

            _closeReason = reason;
            streams = [.. _streams];
            isEmpty = IsEmptyUnsynchronized;
        }

        foreach (var stream in streams)
        {
            stream.RequestClose();
        }

        if (isEmpty)
        {
            Ended?.Invoke();
        }

        return true;
    }

    /// <summary>A handler gives its stream back: nothing more is lent from here on, if it was the last and is to be the last.</summary>
    /// <returns>Whether <see cref="OnEnded"/> must follow.</returns>
    public bool TakeBack(LentStream lent)
    {
        lock (_gate)
        {
            if (!_streams.Remove(lent) || !IsEmptyUnsynchronized)
            {
                return false;
            }

            _closeReason ??= reasonWhenEmptied;
            return _closeReason is not null;
        }
    }

    public void OnEnded() => Ended?.Invoke();

    public void OnGoAway() => PeerLeaving?.Invoke();

    /// <summary>What to say of a peer that has said nothing before it ended, or was given up.</summary>
    /// <param name="failure">How it ended; null: in good order.</param>
    public IOException Unanswered(YamuxException? failure) => failure switch
    {
        null => new IOException(explain(null)),
        { ErrorCode: YamuxErrorCode.SessionClosed, InnerException: IOException reason } => reason,
        _ => new IOException($"{explain(failure)} ({failure.Message})", failure),
    };

    /// <param name="lent">The new one.</param>
    /// <param name="oldest">The one to be asked back for it, if it is one too many.</param>
    private bool TryAdd(LentStream lent, out LentStream? oldest)
    {
        oldest = null;
        lock (_gate)
        {
            if (_closeReason is not null)
            {
                return false;
            }

            _streams.Add(lent);
            if (_streams.Count(other => !other.IsAskedBack) > most)
            {
                oldest = FindOldestUnsynchronized();
            }

            return true;
        }
    }

    // To ask it back. One that works stays: with the last the session would end.
    private LentStream? FindOldestUnsynchronized()
    {
        var inUse = _streams.FindAll(lent => lent.IsInUse);
        return inUse.Count > 1 ? inUse[0] : null;
    }
}
