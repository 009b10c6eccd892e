namespace Benchmarks.Grpc;

/// <summary>Measures each layer against the plain connection, in turn: plain, ours, plain, ours.</summary>
internal sealed class GrpcComparison(int pairs, double seconds) : IAsyncDisposable
{
    // Until then the compiler is still at work on what it has found to be hot.
    private const double WarmUpSeconds = 1.5;

    private readonly Dictionary<GrpcLayer, GrpcPair> _processes = [];

    /// <param name="layers">Without the plain one, which all are measured against.</param>
    /// <param name="progress">Is told each row as it is there.</param>
    public async Task<IReadOnlyList<GrpcRow>> RunAsync(IReadOnlyList<GrpcLayer> layers, Action<GrpcRow>? progress = null)
    {
        foreach (var layer in layers.Prepend(GrpcLayer.Plain))
        {
            await WarmUpAsync(_processes[layer] = await GrpcPair.StartAsync(layer));
        }

        var rows = new List<GrpcRow>();
        foreach (var layer in layers)
        {
            foreach (var workload in GrpcWorkload.All)
            {
                var row = GrpcRow.Create(layer, workload, await CompareAsync(layer, workload));
                rows.Add(row);
                progress?.Invoke(row);
            }
        }

        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pair in _processes.Values)
        {
            await pair.DisposeAsync();
        }
    }

    private async Task WarmUpAsync(GrpcPair pair)
    {
        foreach (var workload in GrpcWorkload.All)
        {
            await pair.MeasureAsync(workload, Math.Min(WarmUpSeconds, 3 * seconds));
        }
    }

    private async Task<IReadOnlyList<(double Plain, double Ours)>> CompareAsync(GrpcLayer layer, GrpcWorkload workload)
    {
        var results = new List<(double, double)>();
        for (var index = 0; index < pairs; index++)
        {
            var plain = await _processes[GrpcLayer.Plain].MeasureAsync(workload, seconds);
            results.Add((plain, await _processes[layer].MeasureAsync(workload, seconds)));
        }

        return results;
    }
}
