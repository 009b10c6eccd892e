namespace Benchmarks.Compare;

/// <summary>Something that measures ours against others, one workload after the other.</summary>
internal interface IComparison
{
    /// <summary>What has been measured so far.</summary>
    IReadOnlyList<WorkloadResult> Results { get; }

    /// <exception cref="MeasurementException">A run failed.</exception>
    Task RunAsync(CancellationToken cancellationToken);
}
