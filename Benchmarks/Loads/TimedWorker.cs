using System.Diagnostics;

namespace Benchmarks.Loads;

/// <summary>One of the tasks of a <see cref="TimedRun"/>.</summary>
internal sealed class TimedWorker(long begin, long end)
{
    private long _last = Stopwatch.GetTimestamp();

    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Once more is done what is repeated; since the last time it took what it took.</summary>
    /// <returns>Whether to go on.</returns>
    public bool Next()
    {
        var now = Stopwatch.GetTimestamp();
        if (now >= end)
        {
            return false;
        }

        if (now >= begin)
        {
            Latencies.Add(Stopwatch.GetElapsedTime(_last, now));
        }

        _last = now;
        return true;
    }
}
