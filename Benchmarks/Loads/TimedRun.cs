using System.Diagnostics;

namespace Benchmarks.Loads;

/// <summary>A load that repeats the same thing for a while: how often, and how long each took. What ends during the warm-up does not count.</summary>
internal sealed class TimedRun
{
    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(0.8);
    private static readonly TimeSpan QuickTime = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan DefaultWarmUp = TimeSpan.FromSeconds(1.5);

    private readonly long _begin;
    private readonly long _end;
    private readonly TimeSpan _time;
    private readonly List<TimedWorker> _workers = [];

    /// <summary>The warm-up begins now.</summary>
    public TimedRun(LoadSettings settings)
    {
        _time = settings.Time ?? (settings.Quick ? QuickTime : DefaultTime);
        var warmUp = settings.WarmUp ?? (settings.Quick ? QuickTime : DefaultWarmUp);
        _begin = Stopwatch.GetTimestamp() + Ticks(warmUp);
        _end = _begin + Ticks(_time);
    }

    /// <summary>Each worker is for one task.</summary>
    public TimedWorker AddWorker()
    {
        var worker = new TimedWorker(_begin, _end);
        _workers.Add(worker);
        return worker;
    }

    public IReadOnlyList<Figure> Figures(string id)
    {
        var all = new LatencyHistogram();
        foreach (var worker in _workers)
        {
            all.Add(worker.Latencies);
        }

        var time = _time;
        if (all.Count == 0)
        {
            // The machine stood still, or the time was short. What ended first after it tells how slow it was.
            var (end, latency) = _workers.Select(worker => worker.Late).MinBy(late => late.End);
            all.Add(latency);
            time = Stopwatch.GetElapsedTime(_begin, end);
        }

        return
        [
            new Figure(id, all.Count / time.TotalSeconds, "/s"),
            new Figure($"{id}-p50", all.Quantile(0.5).TotalMicroseconds, "us"),
            new Figure($"{id}-p99", all.Quantile(0.99).TotalMicroseconds, "us"),
        ];
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
