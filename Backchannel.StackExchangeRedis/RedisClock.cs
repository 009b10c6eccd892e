namespace Backchannel.StackExchangeRedis;

/// <summary>Redis's time, as it was last heard, so that a command can say until when it may run: one that has been given up, and that Redis reads when it wakes, would write what is no longer true.</summary>
internal sealed class RedisClock(TimeProvider timeProvider)
{
    // What is heard is as old as the way back took. One that is refused wrongly is sent again, by the clock that came with the refusal.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private long _microseconds;
    private long _heard;

    /// <summary>It is now so late, in µs.</summary>
    public void Set(long microseconds)
    {
        lock (_gate)
        {
            _microseconds = microseconds;
            _heard = timeProvider.GetTimestamp();
        }
    }

    /// <summary>When a command that may take so long has been given up, in µs of Redis's time; 0: that is not known.</summary>
    public long DeadlineFor(TimeSpan timeout)
    {
        lock (_gate)
        {
            return _microseconds == 0 ? 0 : _microseconds + ((timeProvider.GetElapsedTime(_heard) + timeout + Tolerance).Ticks / TimeSpan.TicksPerMicrosecond);
        }
    }
}
