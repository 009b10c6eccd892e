using System.Numerics;

namespace Benchmarks.Loads;

/// <summary>How often which latency was seen, to within a sixteenth. Adding one allocates nothing.</summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 4;
    private const int Steps = 1 << StepBits;

    private readonly long[] _counts = new long[64 * Steps];

    public long Count { get; private set; }

    public void Add(TimeSpan latency)
    {
        _counts[Bucket((ulong)Math.Max(latency.Ticks, 0))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>The latency that this part of all did not exceed. Zero if there were none.</summary>
    public TimeSpan Quantile(double part)
    {
        var left = (long)Math.Ceiling(part * Count);
        for (var i = 0; left > 0; i++)
        {
            left -= _counts[i];
            if (left <= 0)
            {
                return TimeSpan.FromTicks((long)UpperBound(i));
            }
        }

        return TimeSpan.Zero;
    }

    // Below 16 each tick has its bucket, above that each power of two has sixteen.
    private static int Bucket(ulong ticks)
    {
        var shift = Math.Max(BitOperations.Log2(ticks) - StepBits, 0);
        return (shift * Steps) + (int)(ticks >> shift);
    }

    private static ulong UpperBound(int bucket)
    {
        var shift = Math.Max((bucket / Steps) - 1, 0);
        return ((ulong)(bucket - (shift * Steps) + 1) << shift) - 1;
    }
}
