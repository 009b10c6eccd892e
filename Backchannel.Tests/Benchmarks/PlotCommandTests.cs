using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class PlotCommandTests
{
    private const string Comparison = """
        [
          { "id": "echo1", "unit": "/s", "ours": 9000, "goal": null, "met": null,
            "peers": {
              "raw": { "value": 10000, "ratio": { "median": 0.9, "min": 0.8, "max": 1.1 }, "goal": 0.85, "met": true },
              "go": { "value": 4500, "ratio": { "median": 2, "min": 1.8, "max": 2.1 }, "goal": null, "met": null } } },
          { "id": "idle-1k", "unit": "B", "ours": 800, "goal": null, "met": null, "peers": {} },
          { "id": "alloc", "unit": "B", "ours": 0, "goal": 0, "met": true, "peers": {} },
          { "id": "bdp-10ms", "unit": "MiB/s", "ours": 100, "goal": null, "met": null, "peers": {} },
          { "id": "grpc-1", "unit": "/s", "ours": 5000, "goal": null, "met": null,
            "peers": { "plain": { "value": 6000, "ratio": { "median": 0.83, "min": 0.8, "max": 0.9 }, "goal": 0.9, "met": false } } }
        ]
        """;

    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    [Fact]
    public async Task A_comparison_is_drawn()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["results.json"], Comparison, TestContext.Current.CancellationToken);

        var result = await BenchmarksProcess.RunAsync("plot", folder["results.json"], "--plot", folder["charts"]);

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        string[] charts = ["delay", "idle", "ratios", "ratios-grpc", "streams-echo"];
        Assert.Equal(
            charts.SelectMany(chart => new[] { $"{chart}.png", $"{chart}.svg" }).Order(StringComparer.Ordinal),
            Directory.GetFiles(folder["charts"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(charts, chart => Assert.Equal(PngSignature, File.ReadAllBytes(folder[$"charts/{chart}.png"])[..PngSignature.Length]));
        var svg = await File.ReadAllTextAsync(folder["charts/ratios.svg"], TestContext.Current.CancellationToken);
        Assert.Contains("<svg", svg, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "it is not what compare, grpc or scale writes")]
    [InlineData("{}", "it is not what compare, grpc or scale writes")]
    [InlineData("""{"curves":{"one":null}}""", "it is not what compare, grpc or scale writes")]
    [InlineData("[{}]", "it is not what compare, grpc or scale writes")]
    [InlineData("[null]", "it is not what compare, grpc or scale writes")]
    public async Task What_is_no_result_is_explained(string text, string explanation)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["results.json"], text, TestContext.Current.CancellationToken);

        var result = await BenchmarksProcess.RunAsync("plot", folder["results.json"], "--plot", folder.Path);

        result.AssertExplained(folder["results.json"], explanation);
    }

    [Theory]
    [InlineData("plot", "plot --help")]
    [InlineData("plot results.json", "--plot")]
    [InlineData("plot /nowhere/at/all --plot .", "/nowhere/at/all")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);
}
