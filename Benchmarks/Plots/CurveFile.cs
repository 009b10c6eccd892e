using System.Text.Json;

namespace Benchmarks.Plots;

/// <summary>Curves as a file: what <c>scale</c> writes.</summary>
/// <param name="Curves">By their names, which become those of the pictures.</param>
internal sealed record CurveFile(IReadOnlyDictionary<string, LineChart> Curves)
{
    /// <exception cref="JsonException">It is no such file.</exception>
    public static CurveFile Parse(string json) => JsonSerializer.Deserialize<CurveFile>(json, ResultFormat.Options) is { } file && file.Curves.Values.All(curve => curve is not null)
        ? file
        : throw new JsonException("A curve is null.");

    public string Write() => JsonSerializer.Serialize(this, ResultFormat.Options);

    /// <summary>Draws each curve into a folder.</summary>
    public void Draw(string folder)
    {
        foreach (var (name, chart) in Curves)
        {
            chart.Save(folder, name);
        }
    }
}
