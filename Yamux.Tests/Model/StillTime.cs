namespace Yamux.Tests.Model;

/// <summary>A clock that stands still, and that knows how many of its timers are armed.</summary>
internal sealed class StillTime : TimeProvider
{
    private int _armed;

    public int ArmedTimers => Volatile.Read(ref _armed);

    public override long GetTimestamp() => 0;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new StillTimer(this);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class StillTimer(StillTime time) : ITimer
    {
        private int _isArmed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var armed = dueTime == Timeout.InfiniteTimeSpan ? 0 : 1;
            Interlocked.Add(ref time._armed, armed - Interlocked.Exchange(ref _isArmed, armed));
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
