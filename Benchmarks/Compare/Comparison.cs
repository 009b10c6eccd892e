namespace Benchmarks.Compare;

/// <summary>Measures workload after workload.</summary>
internal sealed class Comparison(IReadOnlyList<IWorkload> workloads, IReadOnlyList<string> peers, int pairs, bool quick) : IComparison
{
    private readonly List<WorkloadResult> _results = [];

    public IReadOnlyList<WorkloadResult> Results => _results;

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
        var skipped = WorkloadCatalog.Peers.Except(peers);
        var contestants = new List<Contestant>();
        foreach (var name in workloads.OfType<PairedWorkload>().SelectMany(workload => workload.Peers.Prepend(workload.Subject)).Distinct().Except(skipped))
        {
            contestants.Add(name == WorkloadCatalog.Go ? await GoProgram.BuildAsync(cancellationToken) : Contestant.Own(name));
        }

        return contestants;
    }
}
