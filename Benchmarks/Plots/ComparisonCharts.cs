using System.Globalization;
using System.Text.Json;

namespace Benchmarks.Plots;

/// <summary>Draws what <c>compare</c> and <c>grpc</c> have written as JSON.</summary>
internal static class ComparisonCharts
{
    private const string Ours = "ours";

    /// <summary>Draws into a folder: the ratios, and throughput and memory by number of streams and by delay, of what there is.</summary>
    /// <exception cref="JsonException">It is not such JSON.</exception>
    public static void Draw(string json, string folder)
    {
        var workloads = JsonSerializer.Deserialize<List<Workload>>(json, ResultFormat.Options) ?? [];
        if (workloads.Any(workload => workload is null))
        {
            throw new JsonException("A workload is null.");
        }

        var bars = workloads.SelectMany(workload => workload.Peers.Select(peer => new RatioBar(
            workload.Id, peer.Key, peer.Value.Ratio.Median, peer.Value.Ratio.Min, peer.Value.Ratio.Max, peer.Value.Goal))).ToList();

        // Of memory less is better, and a curve says more than bars; the rest is split so that each chart can be read.
        var memory = bars.Where(bar => Has(bar.Workload, "idle-")).ToList();
        var delay = bars.Where(bar => Has(bar.Workload, "bdp-")).ToList();
        var calls = bars.Where(bar => bar.Peer is "plain" or "bare").ToList();
        new RatioChart("Ours relative to each peer: more is better", [.. bars.Except(memory).Except(delay).Except(calls)]).Save(folder, "ratios");
        new RatioChart("Over a link with delay, relative to each peer: more is better", delay).Save(folder, "ratios-delay");
        new RatioChart("gRPC relative to a plain connection, sidechannels to a bare stream: more is better", calls).Save(folder, "ratios-grpc");
        new LineChart("Bulk by number of streams", "streams", "MiB/s", Curves(workloads, "bulk", Number)).Save(folder, "streams");
        new LineChart("Echo of 64 bytes by number of streams", "streams", "echoes/s", Curves(workloads, "echo", Number)).Save(folder, "streams-echo");
        new LineChart("Memory of an idle stream", "idle streams", "bytes per stream", Curves(workloads, "idle-", StreamsOf)).Save(folder, "idle");
        new LineChart("1 stream over a link of 1 Gbit/s", "delay one way, ms", "MiB/s", Curves(workloads, "bdp-", DelayOf)).Save(folder, "delay");
    }

    private static bool Has(string id, string prefix) => id.StartsWith(prefix, StringComparison.Ordinal);

    private static List<Series> Curves(IReadOnlyList<Workload> workloads, string prefix, Func<string, double?> abscissa)
    {
        var points = from workload in workloads
                     where Has(workload.Id, prefix)
                     let x = abscissa(workload.Id[prefix.Length..])
                     where x is not null
                     from figure in workload.Peers.Select(peer => (peer.Key, peer.Value.Value)).Prepend((Ours, workload.Ours))
                     select (Name: figure.Item1, Point: new Point(x.Value, figure.Item2));
        return [.. points.GroupBy(point => point.Name, (name, group) => new Series(name, [.. group.Select(point => point.Point).OrderBy(point => point.X)]))];
    }

    // 1k, 10k, 100k.
    private static double? StreamsOf(string text) => text.EndsWith('k') ? 1000 * Number(text[..^1]) : Number(text);

    // 1ms, 50ms.
    private static double? DelayOf(string text) => text.EndsWith("ms", StringComparison.Ordinal) ? Number(text[..^2]) : null;

    private static double? Number(string text)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private sealed record Workload(string Id, string Unit, double Ours, Dictionary<string, Peer> Peers);

    private sealed record Peer(double Value, Range Ratio, double? Goal);

    private sealed record Range(double Median, double Min, double Max);
}
