using Benchmarks.Compare;
using Benchmarks.Shaping;

namespace Benchmarks.Grpc;

/// <summary>A pattern of calls over one layer, against the same calls over a plain connection: plain, ours, plain, ours.</summary>
internal sealed record GrpcWorkload(GrpcLayer Layer, CallPattern Pattern) : IWorkload
{
    /// <summary>Of what is measured over a long link.</summary>
    public const string FarFamily = "far-stream";

    private const string Plain = "plain";
    private const double QuickFraction = 0.2;

    // Until then the compiler is still at work on what it has found to be hot.
    private const double WarmUpPeriods = 2;
    private const double StartSeconds = 1;

    private static readonly Goal Required = new(0.90);

    private static readonly Goal RequiredFar = new(0.95);

    /// <summary>Every layer but the plain one, with every pattern, on this machine.</summary>
    public static IReadOnlyList<GrpcWorkload> All { get; } =
    [
        .. from layer in Enum.GetValues<GrpcLayer>()
           where layer != GrpcLayer.Plain
           from pattern in CallPattern.Near
           select new GrpcWorkload(layer, pattern),
    ];

    /// <summary>All four kinds of calls, in both directions, to a peer that is 50 ms away.</summary>
    public static IReadOnlyList<GrpcWorkload> Far { get; } =
    [
        .. from layer in new[] { GrpcLayer.Yamux, GrpcLayer.Backchannel }
           from pattern in CallPattern.Far
           select new GrpcWorkload(layer, pattern) { Link = LinkShape.Gigabit(delayMilliseconds: 50), Seconds = 2 },
    ];

    /// <summary>How long one measurement takes.</summary>
    public double Seconds { get; init; } = 1;

    /// <summary>What lies between client and server, if not just this machine.</summary>
    public LinkShape? Link { get; init; }

    // What is meant by gRPC without a further word is gRPC over a multiplexed connection.
    public string Id => $"{(Link is null ? "" : $"{FarFamily}-")}{(Layer == GrpcLayer.Yamux ? "grpc" : GrpcOptions.Text(Layer))}-{Pattern.Name}";

    public string Family => Link is null ? "grpc" : FarFamily;

    public IEnumerable<string> Peers => [Plain];

    // The mux sees eleven bytes of each connection, so there is nothing to reach; its row tells the noise.
    private Goal? Goal => Layer == GrpcLayer.Mux ? null : Link is null ? Required : RequiredFar;

    public double SecondsPerPair(bool quick) => (2 * Period(quick)) + StartSeconds;

    public async Task<WorkloadResult> MeasureAsync(Field field, CancellationToken cancellationToken)
    {
        field.Progress.Show($"{Id}: warm-up");
        var (plain, ours) = await field.GrpcAsync(Layer, Link, cancellationToken);
        var seconds = Period(field.Quick);
        await plain.MeasureAsync(Pattern, WarmUpPeriods * seconds, cancellationToken);
        await ours.MeasureAsync(Pattern, WarmUpPeriods * seconds, cancellationToken);
        var plainValues = new List<double>();
        var ourValues = new List<double>();
        for (var pair = 0; pair < field.Pairs; pair++)
        {
            field.Progress.Show($"{Id}: {Plain}");
            plainValues.Add(await plain.MeasureAsync(Pattern, seconds, cancellationToken));
            field.Progress.Show($"{Id}: {GrpcOptions.Text(Layer)}");
            ourValues.Add(await ours.MeasureAsync(Pattern, seconds, cancellationToken));
            field.Progress.Advance(SecondsPerPair(field.Quick));
        }

        var ratio = Ratio.Of([.. ourValues.Zip(plainValues, Figures.Divide)]);
        return new WorkloadResult(
            Id, Pattern.Unit, Ratio.MedianOf(ourValues), Goal: null, [new PeerResult(Plain, Ratio.MedianOf(plainValues), ratio, Goal)]);
    }

    private double Period(bool quick) => quick ? Seconds * QuickFraction : Seconds;
}
