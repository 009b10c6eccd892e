namespace Yamux.Internal;

/// <summary>
/// Every timeout of one session on one timer. The timer is set when something is due earlier than it is set for, and never
/// taken back: when it fires with nothing due, it is set for what comes next. Thread safe; calls out with no lock held.
/// </summary>
internal sealed partial class SessionTimer : IDisposable
{
    /// <summary>When what is not waited for is due.</summary>
    public const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly YamuxOptions _options;
    private readonly Action _onPingDue;
    private readonly Action<Silence> _onSilence;
    private readonly LinkedList<Deadline> _opens = new();
    private readonly LinkedList<Deadline> _closes = new();
    private readonly ITimer _timer;
    private long _setFor = Never;
    private long _failureDue = Never;
    private bool _failureWasLate;
    private long _pingDue = Never;
    private bool _disposed;

    /// <param name="options">The session's.</param>
    /// <param name="onPingDue">A keepalive ping is due.</param>
    /// <param name="onSilence">Nothing has moved for as long as the options allow.</param>
    public SessionTimer(YamuxOptions options, Action onPingDue, Action<Silence> onSilence)
    {
        _time = options.TimeProvider;
        _options = options;
        _onPingDue = onPingDue;
        _onSilence = onSilence;
        _write = new SilenceWait(this);
        _answer = new SilenceWait(this);
        _timer = _time.CreateTimer(
            static state => ((SessionTimer)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts the keepalive, if it is enabled.</summary>
    public void Start()
    {
        if (_options.EnableKeepAlive)
        {
            lock (_gate)
            {
                _pingDue = DueUnsynchronized(_options.KeepAliveInterval);
            }
        }
    }

    /// <summary>The transport takes no more: the session has the time of a write to read what the peer had sent.</summary>
    public void OnWriteFailed()
    {
        lock (_gate)
        {
            _failureDue = DueUnsynchronized(_options.ConnectionWriteTimeout);
        }
    }

    /// <summary>The stream must be acknowledged in time. Null where there is no such limit.</summary>
    public LinkedListNode<Deadline>? AddOpen(YamuxStream stream) => Add(_opens, stream, _options.StreamOpenTimeout);

    /// <summary>The stream must be closed by the peer in time. Null where there is no such limit.</summary>
    public LinkedListNode<Deadline>? AddClose(YamuxStream stream) => Add(_closes, stream, _options.StreamCloseTimeout);

    /// <summary>The deadline was met, or no longer matters.</summary>
    public void Remove(LinkedListNode<Deadline>? deadline)
    {
        if (deadline is null)
        {
            return;
        }

        lock (_gate)
        {
            deadline.List?.Remove(deadline);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
    }

    private LinkedListNode<Deadline>? Add(LinkedList<Deadline> list, YamuxStream stream, TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return null;
        }

        lock (_gate)
        {
            return list.AddLast(new Deadline(stream, DueUnsynchronized(timeout)));
        }
    }

    private void OnTimer()
    {
        if (_gate.IsHeldByCurrentThread)
        {
            // A clock that tests move may have passed the time before the timer is set for it, and calls from within Change then: before whoever sets it has
            // noted what for.
            ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.OnTimer(), this, preferLocal: false);
            return;
        }

        while (true)
        {
            LinkedListNode<Deadline>? deadline = null;
            bool openTimedOut = false, failed = false, ping = false;
            lock (_gate)
            {
                if (_disposed)
                {
                    return;
                }

                var now = _time.GetTimestamp();
                if (_opens.First is { } open && open.Value.At <= now)
                {
                    _opens.Remove(open);
                    (deadline, openTimedOut) = (open, true);
                }
                else if (_closes.First is { } close && close.Value.At <= now)
                {
                    _closes.Remove(close);
                    deadline = close;
                }
                else if (_failureDue <= now)
                {
                    failed = _failureWasLate || now - _failureDue <= Ticks(Lateness);
                    _failureWasLate = true;
                    _failureDue = failed ? Never : DueUnsynchronized(Patience);
                }
                else if (_write.Due <= now)
                {
                    OnSilenceUnsynchronized(_write, _closing ? Silence.Close : Silence.Write);
                }
                else if (_answer.Due <= now)
                {
                    OnSilenceUnsynchronized(_answer, Silence.KeepAlive);
                }
                else if (_pingDue <= now)
                {
                    _pingDue = DueUnsynchronized(_options.KeepAliveInterval);
                    if (_answer is { Due: Never, IsLooking: false })
                    {
                        _answer.Begin(DueUnsynchronized(_options.KeepAliveTimeout), Moves);
                    }

                    ping = true;
                }
                else
                {
                    _setFor = Never;
                    SetUnsynchronized(EarliestUnsynchronized());
                    return;
                }
            }

            if (deadline is not null)
            {
                deadline.Value.Stream.OnDeadline(deadline, openTimedOut);
            }
            else if (ping)
            {
                _onPingDue();
            }
            else if (failed)
            {
                _onSilence(Silence.Write);
            }
        }
    }

    private long EarliestUnsynchronized()
    {
        var earliest = Math.Min(Math.Min(_write.Due, _failureDue), Math.Min(_pingDue, _answer.Due));
        earliest = Math.Min(earliest, _opens.First?.Value.At ?? Never);
        return Math.Min(earliest, _closes.First?.Value.At ?? Never);
    }

    private long DueUnsynchronized(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return Never;
        }

        var due = _time.GetTimestamp() + Ticks(timeout);
        SetUnsynchronized(due);
        return due;
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private void SetUnsynchronized(long due)
    {
        if (due >= _setFor || _disposed)
        {
            return;
        }

        _setFor = due;
        var ticks = Math.Max(0, due - _time.GetTimestamp());

        // Timers count whole milliseconds: rounded up, or they would fire before the time and again at once.
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(ticks * 1000.0 / _time.TimestampFrequency)), Timeout.InfiniteTimeSpan);
    }
}
