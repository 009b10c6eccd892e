namespace Benchmarks.Compare;

/// <summary>What a workload was for us, by itself and against each peer.</summary>
/// <param name="Id">The workload.</param>
/// <param name="Unit">Of all values.</param>
/// <param name="Ours">The median.</param>
/// <param name="Goal">What ours itself must reach, if that is not relative to a peer.</param>
/// <param name="Peers">In the order of the table.</param>
internal sealed record WorkloadResult(string Id, string Unit, double Ours, Goal? Goal, IReadOnlyList<PeerResult> Peers)
{
    public bool? IsMet => Goal?.IsMetBy(Ours);

    /// <summary>Each goal there is: whether it was met.</summary>
    public IEnumerable<bool> Verdicts => Peers.Select(peer => peer.IsMet).Append(IsMet).OfType<bool>();
}
