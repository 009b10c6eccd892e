using System.Text.Json;

namespace Benchmarks.Compare;

/// <summary>The results for programs: an array with an object for each workload.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true };

    public static string Text(IReadOnlyList<WorkloadResult> results) => JsonSerializer.Serialize(
        results.Select(result => new
        {
            id = result.Id,
            unit = result.Unit,
            ours = result.Ours,
            goal = result.Goal?.Bound,
            met = result.IsMet,
            peers = result.Peers.ToDictionary(peer => peer.Name, peer => new
            {
                value = peer.Value,
                ratio = new { median = peer.Ratio.Median, min = peer.Ratio.Min, max = peer.Ratio.Max },
                goal = peer.Goal?.Bound,
                met = peer.IsMet,
            }),
        }),
        Options);
}
