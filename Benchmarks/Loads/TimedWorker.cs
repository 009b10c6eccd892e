using System.Diagnostics;

namespace Benchmarks.Loads;

/// <summary>One of the tasks of a <see cref="TimedRun"/>.</summary>
internal sealed class TimedWorker(long begin, long end)
{
    private long? _last;

    /// <summary>What ended in time.</summary>
    public LatencyHistogram Latencies { get; } = new();

    /// <summary>What was under way when the time was over: when it ended, and how long it took.</summary>
    public (long End, TimeSpan Latency) Late { get; private set; }

    /// <summary>Once more is done what is repeated, if ever; since the last time it took what it took.</summary>
    /// <returns>Whether to go on.</returns>
    public bool Next()
    {
        var now = Stopwatch.GetTimestamp();
        if (_last is { } last)
        {
            var latency = Stopwatch.GetElapsedTime(last, now);
            if (now >= end)
            {
                Late = (now, latency);
                return false;
            }

            if (now >= begin)
            {
                Latencies.Add(latency);
            }
        }

        _last = now;
        return true;
    }
}
