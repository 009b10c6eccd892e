namespace Yamux.Internal;

/// <content>
/// Whether the connection is alive: something has moved on it, in either direction. What has come and was not looked at counts
/// too, so that nothing is ended before the thread pool has had a turn: our own lateness is not the peer's silence.
/// </content>
internal sealed partial class SessionTimer : IThreadPoolWorkItem
{
    private const int MaxLateLooks = 5;

    // A process that comes so late has no right to call others silent. It waits some more, so that what stood in its own
    // queues gets its turn; where an answer takes several turns, as often as it is late again, but not without end.
    private static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Each counted by one thread at a time: the read loop the first two, and the flusher. Of the writes all that have ended, and those of them that moved something.
    private long _reads;
    private long _answers;
    private long _moves;
    private long _writes;

    // When a wait is over, and what had moved when it began.
    private long _writeDue = Never;
    private long _writeMark;
    private long _answerDue = Never;
    private long _answerMark;
    private bool _writing;
    private bool _closing;

    // The last look, which waits for its turn in the thread pool.
    private Silence? _looking;
    private long _lookDue;
    private long _lookMark;
    private long _lookWrites;
    private int _lateLooks;

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
            _answerDue = Never;
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
                _writeDue = Never;
            }
        }
    }

    /// <summary>The last look before the session ends: behind the work that the pool had when the time was over.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        Silence silence;
        lock (_gate)
        {
            silence = _looking!.Value;
            _looking = null;
            if (_disposed)
            {
                return;
            }

            if (Moves != _lookMark || (_closing && silence != Silence.Close) || (silence == Silence.Write && Volatile.Read(ref _writes) != _lookWrites))
            {
                OnMovedUnsynchronized();
                return;
            }

            if (_lateLooks < MaxLateLooks && _time.GetTimestamp() - _lookDue > Ticks(Lateness))
            {
                _lateLooks++;
                if (silence == Silence.KeepAlive)
                {
                    (_answerDue, _answerMark) = (DueUnsynchronized(Patience), _lookMark);
                }
                else
                {
                    (_writeDue, _writeMark) = (DueUnsynchronized(Patience), _lookMark);
                }

                return;
            }
        }

        _onSilence(silence);
    }

    // A wait is over. If nothing has moved there is a last look; that of one wait does for the other.
    private void OnSilenceUnsynchronized(ref long due, long mark, Silence silence)
    {
        if (Moves == mark && _looking is null)
        {
            (_looking, _lookDue, _lookMark, _lookWrites) = (silence, due, mark, Volatile.Read(ref _writes));
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        due = Never;
        if (Moves != mark)
        {
            OnMovedUnsynchronized();
        }
    }

    private void OnMovedUnsynchronized()
    {
        _lateLooks = 0;
        if ((_writing || _closing) && _writeDue == Never)
        {
            WaitForWriteUnsynchronized();
        }
    }

    private void WaitForWriteUnsynchronized()
    {
        _writeMark = Moves;
        _writeDue = DueUnsynchronized(_options.ConnectionWriteTimeout);
    }
}
