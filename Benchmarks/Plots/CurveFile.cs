using System.Text.Json;

namespace Benchmarks.Plots;

/// <summary>Curves as a file: what <c>scale</c> writes.</summary>
/// <param name="Curves">By their names, which become those of the pictures.</param>
internal sealed record CurveFile(IReadOnlyDictionary<string, LineChart> Curves)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <exception cref="JsonException">It is no such file.</exception>
    public static CurveFile Parse(string json) => JsonSerializer.Deserialize<CurveFile>(json, Options) is { Curves: not null } file
        ? file
        : throw new JsonException("it has no curves.");

    public string Write() => JsonSerializer.Serialize(this, Options);

    /// <summary>Draws each curve into a folder.</summary>
    public void Draw(string folder)
    {
        foreach (var (name, chart) in Curves)
        {
            chart.Save(folder, name);
        }
    }
}
