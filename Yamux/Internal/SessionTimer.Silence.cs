namespace Yamux.Internal;

/// <content>
/// Whether the connection is alive: something has moved on it, in either direction. What has come and was not looked at counts
/// too, so that nothing is ended before the thread pool has had a turn: our own lateness is not the peer's silence.
/// </content>
internal sealed partial class SessionTimer
{
    private const int MaxLateLooks = 5;

    // A process that comes so late has no right to call others silent. It waits some more, as long as it was late, a second at least and no longer than it had, so that what stood in
    // its own queues gets its turn; where an answer takes several turns, as often as it is late again, but not without end.
    private static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Each counted by one thread at a time: the read loop the first two, and the flusher. Of the writes all that have ended, and those of them that moved something.
    private long _reads;
    private long _answers;
    private long _moves;
    private long _writes;

    private readonly SilenceWait _write;
    private readonly SilenceWait _answer;
    private bool _writing;
    private bool _closing;

    // While the session closes, what the peer still sends is none of its business: only what it takes, and what it answers.
    private long Moves => Volatile.Read(ref _moves) + Volatile.Read(ref _closing ? ref _answers : ref _reads);

    /// <summary>Bytes were received, a part of a frame or more: the peer lives. By the read loop.</summary>
    public void OnReceived() => Volatile.Write(ref _reads, _reads + 1);

    /// <summary>An answer to a ping of ours was received, at most one for each. By the read loop.</summary>
    public void OnAnswered() => Volatile.Write(ref _answers, _answers + 1);

    /// <summary>The session closes: from now on there is one wait, for what it has to say to arrive.</summary>
    public void OnClosing()
    {
        lock (_gate)
        {
            _closing = true;
            _answer.Due = Never;
            _pingDue = Never;
            _failureDue = Never;
            WaitForWriteUnsynchronized();
        }
    }

    /// <summary>A write to the transport has not ended at once. By the flusher.</summary>
    public void OnWriteStarted()
    {
        lock (_gate)
        {
            _writing = true;
            if (!_closing)
            {
                WaitForWriteUnsynchronized();
            }
        }
    }

    /// <summary>The write has ended. By the flusher.</summary>
    /// <param name="moved">
    /// It was so large that the peer must have taken bytes: there was no room, and now there was some. One that ends at once would prove nothing, and
    /// a few bytes, such as a ping, find room somewhere on the way to an end that is dead. Of a session that closes it was of what the session has to say, and not
    /// only of what the peer asked for.
    /// </param>
    public void OnWriteEnded(bool moved)
    {
        Volatile.Write(ref _writes, _writes + 1);
        Volatile.Write(ref _moves, _moves + (moved ? 1 : 0));
        lock (_gate)
        {
            _writing = false;
            if (!_closing)
            {
                _write.Due = Never;
            }
        }
    }

    /// <summary>The last look before the session ends: behind the work that the pool had when the time was over.</summary>
    public void Look(SilenceWait wait)
    {
        Silence silence;
        lock (_gate)
        {
            silence = wait.EndLook();
            if (_disposed)
            {
                return;
            }

            if (Moves != wait.LookMark || (_closing && silence != Silence.Close) || (silence == Silence.Write && Volatile.Read(ref _writes) != wait.LookWrites))
            {
                OnMovedUnsynchronized(wait);
                return;
            }

            var late = _time.GetElapsedTime(wait.LookDue);
            if (wait.LateLooks < MaxLateLooks && late > Lateness)
            {
                var longest = silence == Silence.KeepAlive ? _options.KeepAliveTimeout : _options.ConnectionWriteTimeout;
                var further = late < longest ? late : longest;
                wait.GoOn(DueUnsynchronized(further > Patience ? further : Patience));
                return;
            }
        }

        _onSilence(silence);
    }

    // A wait is over. If nothing has moved there is a last look.
    private void OnSilenceUnsynchronized(SilenceWait wait, Silence silence)
    {
        var hasMoved = Moves != wait.Mark;
        if (!hasMoved)
        {
            wait.TryBeginLook(silence, Volatile.Read(ref _writes));
        }

        wait.Due = Never;
        if (hasMoved)
        {
            OnMovedUnsynchronized(wait);
        }
    }

    private void OnMovedUnsynchronized(SilenceWait wait)
    {
        if (wait == _write && (_writing || _closing) && wait.Due == Never)
        {
            WaitForWriteUnsynchronized();
        }
    }

    private void WaitForWriteUnsynchronized() => _write.Begin(DueUnsynchronized(_options.ConnectionWriteTimeout), Moves);
}
