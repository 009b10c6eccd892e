namespace Benchmarks.Compare;

/// <summary>Measures workload after workload.</summary>
internal sealed class Comparison(IReadOnlyList<IWorkload> workloads, IReadOnlyList<string> peers, int pairs, bool quick)
{
    private readonly List<WorkloadResult> _results = [];

    /// <summary>What has been measured so far.</summary>
    public IReadOnlyList<WorkloadResult> Results => _results;

    /// <exception cref="MeasurementException">A run failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var progress = new Progress(Console.Error, !Console.IsErrorRedirected, pairs * workloads.Sum(workload => workload.SecondsPerPair(quick)));
        await using var field = new Field(await ContestantsAsync(cancellationToken), pairs, quick, progress);
        try
        {
            foreach (var workload in workloads)
            {
                progress.Begin(workload);
                _results.Add(await workload.MeasureAsync(field, cancellationToken));
            }
        }
        finally
        {
            progress.End();
        }
    }

    private async Task<IReadOnlyList<Contestant>> ContestantsAsync(CancellationToken cancellationToken)
    {
        var contestants = new List<Contestant> { Contestant.Own(WorkloadCatalog.Ours) };
        foreach (var peer in peers.Where(peer => workloads.Any(workload => workload.Peers.Contains(peer))))
        {
            contestants.Add(peer == WorkloadCatalog.Go ? await GoProgram.BuildAsync(cancellationToken) : Contestant.Own(peer));
        }

        if (workloads.Any(workload => workload.Family == WorkloadCatalog.Sidechannel))
        {
            contestants.Add(Contestant.Own(WorkloadCatalog.Sidechannel));
            contestants.Add(Contestant.Own(WorkloadCatalog.BareYamux));
        }

        return contestants;
    }
}
