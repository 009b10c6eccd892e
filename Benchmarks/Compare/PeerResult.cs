namespace Benchmarks.Compare;

/// <summary>What a workload was for a peer, and ours relative to that.</summary>
internal sealed record PeerResult(string Name, double Value, Ratio Ratio, Goal? Goal)
{
    /// <summary>Null where there is no goal.</summary>
    public bool? IsMet => Goal?.IsMetBy(Ratio.Median);
}
