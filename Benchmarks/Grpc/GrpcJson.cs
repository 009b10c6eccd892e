using System.Text.Json;

namespace Benchmarks.Grpc;

/// <summary>The rows in the form in which all comparisons are written.</summary>
internal static class GrpcJson
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true };

    public static string Write(IEnumerable<GrpcRow> rows) => JsonSerializer.Serialize(
        rows.Select(row => new
        {
            id = row.Id,
            unit = row.Workload.Unit,
            ours = row.Ours,
            peers = new
            {
                plain = new
                {
                    value = row.Plain,
                    ratio = new { median = row.MedianRatio, min = row.MinRatio, max = row.MaxRatio },
                    goal = row.Goal,
                    met = row.IsMet,
                },
            },
        }),
        Options);
}
