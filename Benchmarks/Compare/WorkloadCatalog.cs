using System.Globalization;
using Benchmarks.Grpc;
using Benchmarks.Shaping;

namespace Benchmarks.Compare;

/// <summary>The one list of all workloads, with what ours must reach.</summary>
internal static class WorkloadCatalog
{
    public const string Ours = "ours";
    public const string Raw = "raw";
    public const string Go = "go";
    public const string Nerdbank = "nerdbank";
    public const string Sidechannel = "sidechannel";

    /// <summary>This engine, where it is what a layer above it is measured against: a <see cref="Stream"/> against a Stream.</summary>
    public const string BareStream = "bare";

    private const int FarDelay = 50;

    /// <summary>In the order of the table.</summary>
    public static IReadOnlyList<string> Peers { get; } = [Raw, Go, Nerdbank];

    public static IReadOnlyList<IWorkload> All { get; } =
    [
        Bulk("bulk1", "bulk1", raw: 0.90, go: 2.5, nerdbank: 2.5) with { WireOptions = Window("262144") },
        Bulk("bulk1-16m", "bulk1", raw: 0.90, go: 2.5, nerdbank: 2.5) with { WireOptions = Window("16777216") },
        Bulk("bulk1-tls", "bulk1", raw: null, go: null, nerdbank: null) with { WireOptions = [.. Window("262144"), "--tls"], RunOptions = ["--mib", "512"] },
        Bulk("bulk16", "bulk16", raw: 0.80, go: 1.5, nerdbank: 3),
        Paired("small", "MiB/s", seconds: 8, raw: 4, go: 15, nerdbank: 2.5),
        Paired("echo1", "/s", seconds: 8, raw: 0.85, go: 2, nerdbank: 2.5),
        Paired("echo64", "/s", seconds: 8, raw: 1.5, go: 3, nerdbank: 3),
        Paired("open1", "/s", seconds: 8, raw: 2.5, go: 3, nerdbank: 6),
        Paired("open32", "/s", seconds: 8, raw: 6, go: 6, nerdbank: 10),
        Idle("idle-1k", streams: 1_000, quickStreams: 500, seconds: 2),
        Idle("idle-10k", streams: 10_000, quickStreams: 1_000, seconds: 3),
        Idle("idle-100k", streams: 100_000, quickStreams: 2_000, seconds: 12),
        new PairedWorkload("fair-many", "fair-many", "times", Seconds: 18) { OwnGoal = new Goal(1.5, AtMost: true) },
        new PairedWorkload("fair-cpu", "fair-cpu", "times", Seconds: 35) { OwnGoal = new Goal(1.1, AtMost: true) },
        new PairedWorkload("alloc", "alloc", "B", Seconds: 2) { OwnGoal = new Goal(0, AtMost: true), NeedsServer = false },
        Shaped(delay: 1),
        Shaped(delay: 10),
        Shaped(delay: 50) with { Goals = Against(raw: null, go: 5, nerdbank: 2) },
        Shaped(delay: 100) with { WireOptions = ["--max-window", "67108864"] }, // The link holds 24 MiB, more than a window has by default.
        Cold("up", mebibytes: 1, goal: 4.5),
        Cold("up", mebibytes: 4, goal: 13),
        Cold("up", mebibytes: 16, goal: 36),
        Cold("up", mebibytes: 64, goal: 76),
        Cold("down", mebibytes: 1, goal: 7),
        Cold("down", mebibytes: 4, goal: 20),
        Cold("down", mebibytes: 16, goal: 45),
        Cold("down", mebibytes: 64, goal: 80),
        FarSidechannel("up", "bdp"),
        FarSidechannel("down", "bdp-down"),
        .. GrpcWorkload.Far,
        Slow(kilobytesPerSecond: 25, goal: null),
        Slow(kilobytesPerSecond: 50, goal: null),
        Slow(kilobytesPerSecond: 100, goal: 2),
        Slow(kilobytesPerSecond: 250, goal: 2),
        Sidechannels("sidechannel-up", "bulk1"),
        Sidechannels("sidechannel-down", "down1"),
        new PairedWorkload("sidechannel-memory", "memory", "MiB", Seconds: 4) { Family = Sidechannel, Subject = Sidechannel, WireOptions = Window("262144"), OwnGoal = new Goal(16, AtMost: true), NeedsServer = false },
        .. GrpcWorkload.All.Where(workload => workload.Layer != GrpcLayer.Mux),
    ];

    /// <summary>Whether it is measured when one is in haste: of those over links, each of which takes its time, one of a kind.</summary>
    public static bool IsQuick(IWorkload workload)
        => workload.Family is not ("far-cold" or GrpcWorkload.FarFamily or "slow-link") || workload.Id is "far-cold-up-1m" or "far-stream-grpc-stream" or "slow-link-100";

    private static PairedWorkload Paired(string id, string unit, double seconds, double? raw, double? go, double? nerdbank)
        => new(id, id, unit, seconds) { Goals = Against(raw, go, nerdbank) };

    private static PairedWorkload Bulk(string id, string load, double? raw, double? go, double? nerdbank)
        => new(id, load, "MiB/s", Seconds: 16) { Family = load, Goals = Against(raw, go, nerdbank) };

    private static PairedWorkload Idle(string id, int streams, int quickStreams, double seconds) => new(id, "idle", "B", seconds)
    {
        Family = "idle",
        Goals = new Dictionary<string, Goal?> { [Go] = new Goal(1.0, AtMost: true) },
        RunOptions = ["--streams", Text(streams)],
        QuickOptions = ["--streams", Text(quickStreams)],
    };

    // With the windows of Gitaly's clients.
    private static PairedWorkload Sidechannels(string id, string load) => new(id, load, "MiB/s", Seconds: 6)
    {
        Family = Sidechannel,
        Subject = Sidechannel,
        Goals = new Dictionary<string, Goal?> { [BareStream] = new Goal(0.8) },
        WireOptions = Window("262144"),
        RunOptions = ["--mib", "1024"],
    };

    // The windows grow while it warms up, twofold within a round trip or two; then it is measured at speed.
    private static PairedWorkload Shaped(int delay)
    {
        var roundTrip = 2 * delay / 1000.0;
        var (warmUp, measured) = (0.5 + (12 * roundTrip), 0.5 + (3 * roundTrip));
        return new PairedWorkload($"bdp-{delay}ms", "bdp", "MiB/s", Seconds: (warmUp + measured + 0.4) * (delay == 50 ? 5 : 2))
        {
            Family = "bdp",
            Link = LinkShape.Gigabit(delay),
            LinkGoal = new Goal(0.9),
            Goals = new Dictionary<string, Goal?> { [Raw] = null },
            RunOptions = ["--warm-up", Text(warmUp), "--seconds", Text(measured)],
            QuickOptions = ["--warm-up", Text(0.1 + (2 * roundTrip)), "--seconds", Text(0.1 + roundTrip)],
        };
    }

    // Each transfer has a connection of its own, whose windows are as they are at first.
    private static PairedWorkload Cold(string direction, int mebibytes, double goal)
        => new($"far-cold-{direction}-{mebibytes}m", $"cold-{direction}", "MiB/s", Seconds: 8 + (mebibytes / 4))
        {
            Family = "far-cold",
            Link = LinkShape.Gigabit(FarDelay),
            OwnGoal = new Goal(goal),
            Goals = new Dictionary<string, Goal?> { [Raw] = null, [Nerdbank] = new Goal(1) },
            RunOptions = ["--mib", Text(mebibytes)],
            QuickOptions = ["--mib", "1", "--quick"],
        };

    // Go's hashicorp/yamux ends such a session after ten seconds, and so has nothing to be compared with.
    private static PairedWorkload Slow(int kilobytesPerSecond, double? goal) => new($"slow-link-{kilobytesPerSecond}", "slow", "s", Seconds: 21)
    {
        Family = "slow-link",
        Link = LinkShape.Slow(kilobytesPerSecond),
        OwnGoal = goal is { } most ? new Goal(most, AtMost: true) : null,
        QuickOptions = ["--seconds", "2"],
    };

    private static PairedWorkload FarSidechannel(string direction, string load) => Shaped(FarDelay) with
    {
        Id = $"far-stream-sidechannel-{direction}",
        Load = load,
        Family = GrpcWorkload.FarFamily,
        Subject = Sidechannel,
        LinkGoal = null,
        Goals = new Dictionary<string, Goal?> { [Raw] = new Goal(0.9) },
    };

    private static Dictionary<string, Goal?> Against(double? raw, double? go, double? nerdbank)
        => new() { [Raw] = AtLeast(raw), [Go] = AtLeast(go), [Nerdbank] = AtLeast(nerdbank) };

    private static Goal? AtLeast(double? bound) => bound is { } value ? new Goal(value) : null;

    private static string[] Window(string bytes) => ["--window", bytes];

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
