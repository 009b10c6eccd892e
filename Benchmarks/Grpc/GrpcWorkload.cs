using Benchmarks.Compare;

namespace Benchmarks.Grpc;

/// <summary>A pattern of calls over one layer, against the same calls over a plain connection: plain, ours, plain, ours.</summary>
internal sealed record GrpcWorkload(GrpcLayer Layer, CallPattern Pattern) : IWorkload
{
    private const string Plain = "plain";
    private const double QuickFraction = 0.2;

    // Until then the compiler is still at work on what it has found to be hot.
    private const double WarmUpPeriods = 2;
    private const double StartSeconds = 1;

    private static readonly Goal Required = new(0.90);

    // As far as the windows of BackchannelServerOptions.
    private const int LargeWindow = 16 * 1024 * 1024;

    /// <summary>
    /// Every layer but the plain one, with every pattern; and the stream that comes to the client once more, with a window that
    /// may grow, since the client's default is Gitaly's 256 KiB.
    /// </summary>
    public static IReadOnlyList<GrpcWorkload> All { get; } =
    [
        .. from layer in Enum.GetValues<GrpcLayer>()
           where layer != GrpcLayer.Plain
           from pattern in CallPattern.All
           from maxWindow in layer == GrpcLayer.Yamux && pattern == CallPattern.ServerStream ? [0, LargeWindow] : new[] { 0 }
           select new GrpcWorkload(layer, pattern) { MaxWindow = maxWindow },
    ];

    /// <summary>How long one measurement takes.</summary>
    public double Seconds { get; init; } = 1;

    /// <summary>To how many bytes a receive window of the client's may grow; 0: it is as it is by default.</summary>
    public int MaxWindow { get; init; }

    // What is meant by gRPC without a further word is gRPC over a multiplexed connection.
    public string Id => $"{(Layer == GrpcLayer.Yamux ? Family : GrpcOptions.Text(Layer))}-{Pattern.Name}{(MaxWindow == LargeWindow ? "-16m" : "")}";

    public string Family => "grpc";

    public IEnumerable<string> Peers => [Plain];

    // The mux sees eleven bytes of each connection, so there is nothing to reach; its row tells the noise.
    private Goal? Goal => Layer == GrpcLayer.Mux ? null : Required;

    public double SecondsPerPair(bool quick) => (2 * Period(quick)) + StartSeconds;

    public async Task<WorkloadResult> MeasureAsync(Field field, CancellationToken cancellationToken)
    {
        field.Progress.Show($"{Id}: warm-up");
        var (plain, ours) = await field.GrpcAsync(Layer, MaxWindow, cancellationToken);
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
