namespace Yamux.Internal;

/// <summary>Counts events of one kind in periods of a fixed length. Not synchronized: the receive loop owns it.</summary>
internal struct RateLimit(int max, TimeSpan period, TimeProvider time)
{
    private long _periodStart;
    private int _count;

    /// <summary>Counts one event. False if it is one too many in this period.</summary>
    public bool TryCount()
    {
        if (_count == 0)
        {
            _periodStart = time.GetTimestamp();
        }
        else if (_count >= max)
        {
            if (period == Timeout.InfiniteTimeSpan || time.GetElapsedTime(_periodStart) < period)
            {
                return false;
            }

            _periodStart = time.GetTimestamp();
            _count = 0;
        }

        _count++;
        return true;
    }
}
