namespace Benchmarks.Plots;

/// <summary>Ours relative to one peer's in one workload.</summary>
/// <param name="Workload">The id.</param>
/// <param name="Peer">The peer's name.</param>
/// <param name="Median">Of the ratios of all pairs.</param>
/// <param name="Min">The lowest.</param>
/// <param name="Max">The highest.</param>
/// <param name="Goal">What the median must reach, if there is such.</param>
internal sealed record RatioBar(string Workload, string Peer, double Median, double Min, double Max, double? Goal);
