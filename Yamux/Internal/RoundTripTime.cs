namespace Yamux.Internal;

/// <summary>
/// How long a frame takes to the peer and back, by pings that are sent anyway or for this alone. Not synchronized, but for
/// <see cref="Shortest"/>: the gate of <see cref="PendingPings"/> guards it.
/// </summary>
/// <remarks>
/// An answer stands behind data, at either end and in between, so every sample is too long and the shortest is the best. It is
/// not forgotten: a sender that fills its window stands behind all of it, so that a busy session sees long round trips only,
/// the longer the larger its windows are, and would make them larger still. The first samples are taken while there is little
/// to stand behind, with the first streams. A peer that never answers is asked once.
/// </remarks>
internal sealed class RoundTripTime(TimeProvider time)
{
    private const int FirstSamples = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private int _taken;
    private uint? _awaited;
    private long _sentAt;
    private long _shortest;

    /// <summary>In ticks of the clock; 0 while it is not known.</summary>
    public long Shortest => Volatile.Read(ref _shortest);

    /// <summary>Whether another sample is wanted: one after the other until there are a few, then one from time to time.</summary>
    public bool IsDue => _awaited is null && (_taken < FirstSamples || time.GetElapsedTime(_sentAt) >= Interval);

    /// <summary>A ping of this value is being sent. It is no sample if the answer to another is awaited.</summary>
    public void OnSent(uint value)
    {
        if (_awaited is null)
        {
            _awaited = value;
            _sentAt = time.GetTimestamp();
        }
    }

    /// <summary>An answer has come, which may be another's.</summary>
    public void OnAnswer(uint value)
    {
        if (_awaited != value)
        {
            return;
        }

        _awaited = null;
        var sample = time.GetTimestamp() - _sentAt;
        Volatile.Write(ref _shortest, _taken == 0 ? sample : Math.Min(_shortest, sample));
        _taken = Math.Min(_taken + 1, FirstSamples);
    }
}
