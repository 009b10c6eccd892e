using Benchmarks.Micro;
using Yamux;

namespace Benchmarks.Frames;

/// <summary>What a frame of a case costs, with as many sessions as it takes to tell.</summary>
internal static class FrameMeter
{
    private const int SessionsAtOnce = 32;
    private const int WarmUpRounds = 10;

    /// <summary>Processor time a frame, in nanoseconds: the median of some rounds.</summary>
    public static async Task<double> MeasureAsync(FrameCase frames, int rounds)
    {
        for (var round = 0; round < WarmUpRounds; round++)
        {
            await MeasureOnceAsync(frames); // The compiler's time is none of the peer's.
        }

        var costs = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            costs.Add(await MeasureOnceAsync(frames));
        }

        costs.Sort();
        return costs[rounds / 2];
    }

    private static async Task<double> MeasureOnceAsync(FrameCase frames)
    {
        var started = await Task.WhenAll(Enumerable.Range(0, SessionsAtOnce).Select(_ => LoopTransport.StartAsync(YamuxRole.Server, NewOptions())));
        var (spent, count) = (TimeSpan.Zero, 0);
        foreach (var (transport, session) in started)
        {
            var target = new FrameTarget(transport, session);
            var batch = await frames.PrepareAsync(target);
            spent += target.Measure(batch);
            count += batch.Count;
            await target.EndAsync();
        }

        return spent.TotalNanoseconds / count;
    }

    // What is measured is a frame, and not when there were too many of it.
    private static YamuxOptions NewOptions() => new()
    {
        EnableKeepAlive = false,
        AcceptBacklog = Ids.Count,
        MaxInboundStreams = Ids.Count,
        MaxEmptyFrames = int.MaxValue,
        MaxEarlyResets = int.MaxValue,
    };
}
