namespace Yamux.Internal;

/// <summary>
/// Every timeout of one session on one timer. The timer is set when something is due earlier than it is set for, and never
/// taken back: when it fires with nothing due, it is set for what comes next. Thread safe; calls out with no lock held.
/// </summary>
internal sealed class SessionTimer : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly YamuxOptions _options;
    private readonly ISessionTimerOwner _owner;
    private readonly DeadlineQueue _opens = new();
    private readonly DeadlineQueue _closes = new();
    private readonly ITimer _timer;
    private long _setFor = Never;
    private long _writeDue = Never;
    private long _pingDue = Never;
    private long _answerDue = Never;
    private bool _received;
    private bool _disposed;

    public SessionTimer(YamuxOptions options, ISessionTimerOwner owner)
    {
        _time = options.TimeProvider;
        _options = options;
        _owner = owner;
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

    /// <summary>A frame was received: the peer lives.</summary>
    public void OnReceived() => Volatile.Write(ref _received, true);

    /// <summary>A write to the transport has not ended at once.</summary>
    public void OnWriteStarted()
    {
        lock (_gate)
        {
            _writeDue = DueUnsynchronized(_options.ConnectionWriteTimeout);
        }
    }

    /// <summary>The write has ended.</summary>
    public void OnWriteEnded()
    {
        lock (_gate)
        {
            _writeDue = Never;
        }
    }

    /// <summary>The stream must be acknowledged in time. Null where there is no such limit.</summary>
    public Deadline? AddOpen(YamuxStream stream) => Add(_opens, stream, _options.StreamOpenTimeout);

    /// <summary>The stream must be closed by the peer in time. Null where there is no such limit.</summary>
    public Deadline? AddClose(YamuxStream stream) => Add(_closes, stream, _options.StreamCloseTimeout);

    /// <summary>The deadline was met, or no longer matters.</summary>
    public void Remove(Deadline? deadline)
    {
        if (deadline is null)
        {
            return;
        }

        lock (_gate)
        {
            deadline.Queue?.Remove(deadline);
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

    private Deadline? Add(DeadlineQueue queue, YamuxStream stream, TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return null;
        }

        lock (_gate)
        {
            var deadline = new Deadline(stream, DueUnsynchronized(timeout));
            queue.Add(deadline);
            return deadline;
        }
    }

    private void OnTimer()
    {
        while (true)
        {
            Deadline? deadline = null;
            bool openTimedOut = false, writeTimedOut = false, ping = false, keepAliveTimedOut = false;
            lock (_gate)
            {
                if (_disposed)
                {
                    return;
                }

                var now = _time.GetTimestamp();
                if (_opens.First is { } open && open.At <= now)
                {
                    _opens.Remove(open);
                    (deadline, openTimedOut) = (open, true);
                }
                else if (_closes.First is { } close && close.At <= now)
                {
                    _closes.Remove(close);
                    deadline = close;
                }
                else if (_writeDue <= now)
                {
                    _writeDue = Never;
                    writeTimedOut = true;
                }
                else if (_answerDue <= now)
                {
                    _answerDue = Never;
                    keepAliveTimedOut = !Volatile.Read(ref _received);
                }
                else if (_pingDue <= now)
                {
                    _pingDue = DueUnsynchronized(_options.KeepAliveInterval);
                    if (_answerDue == Never)
                    {
                        Volatile.Write(ref _received, false);
                        _answerDue = DueUnsynchronized(_options.KeepAliveTimeout);
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
                _owner.OnDeadline(deadline, openTimedOut);
            }
            else if (ping)
            {
                _owner.OnPingDue();
            }
            else if (writeTimedOut || keepAliveTimedOut)
            {
                _owner.OnPeerUnresponsive(writeTimedOut);
            }
        }
    }

    private long EarliestUnsynchronized()
    {
        var earliest = Math.Min(Math.Min(_writeDue, _pingDue), _answerDue);
        earliest = Math.Min(earliest, _opens.First?.At ?? Never);
        return Math.Min(earliest, _closes.First?.At ?? Never);
    }

    private long DueUnsynchronized(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return Never;
        }

        var due = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        SetUnsynchronized(due);
        return due;
    }

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
