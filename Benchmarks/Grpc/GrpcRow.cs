namespace Benchmarks.Grpc;

/// <summary>One layer under one workload, against the plain connection. Values are medians; each ratio is of one pair.</summary>
internal sealed record GrpcRow(string Id, GrpcLayer Layer, GrpcWorkload Workload, double Ours, double Plain, IReadOnlyList<double> Ratios)
{
    private const double RequiredRatio = 0.90;

    public double MedianRatio => Median(Ratios);

    public double MinRatio => Ratios.Min();

    public double MaxRatio => Ratios.Max();

    /// <summary>The ratio that must be reached; the mux, which sees eleven bytes of a connection, has none of its own.</summary>
    public double? Goal => Layer == GrpcLayer.Mux ? null : RequiredRatio;

    public bool IsMet => Goal is not { } goal || MedianRatio >= goal;

    public static GrpcRow Create(GrpcLayer layer, GrpcWorkload workload, IReadOnlyList<(double Plain, double Ours)> pairs)
    {
        // What is meant by gRPC over a multiplexed connection has the workload's own name.
        var id = layer == GrpcLayer.Yamux ? workload.Id : $"{GrpcOptions.Text(layer)}{workload.Id["grpc".Length..]}";
        return new GrpcRow(
            id, layer, workload, Median([.. pairs.Select(pair => pair.Ours)]), Median([.. pairs.Select(pair => pair.Plain)]), [.. pairs.Select(pair => pair.Ours / pair.Plain)]);
    }

    private static double Median(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
