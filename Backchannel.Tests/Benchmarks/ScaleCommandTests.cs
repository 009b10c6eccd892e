using System.Text.Json;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class ScaleCommandTests
{
    [Fact]
    public async Task The_curves_are_measured_and_drawn()
    {
        using var folder = new TemporaryFolder();

        var result = await BenchmarksProcess.RunAsync("scale", "--quick", "--json", folder["curves.json"], "--plot", folder["charts"]);

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["curves.json"], TestContext.Current.CancellationToken));
        var curves = json.RootElement.GetProperty("curves").EnumerateObject().ToList();
        Assert.Equal(
            ["streams", "streams-p99", "idle-streams", "sessions", "session-memory", "registry", "fairness-up", "fairness-down"],
            curves.Select(curve => curve.Name));
        Assert.All(curves, curve => Assert.All(
            curve.Value.GetProperty("series").EnumerateArray(),
            series => Assert.All(series.GetProperty("points").EnumerateArray(), point => Assert.True(point.GetProperty("y").GetDouble() > 0))));
        Assert.Equal(2 * curves.Count, Directory.GetFiles(folder["charts"]).Length);
    }

    [Theory]
    [InlineData("scale --bogus", "'--bogus'", "scale --help")]
    [InlineData("scale --quick --json /nowhere/at/all", "--json /nowhere/at/all:")]
    [InlineData("scale --quick --plot /dev/null/charts", "--plot /dev/null/charts:")]
    [InlineData("scale-run --impl ours --connect 127.0.0.1:1", "--load")]
    [InlineData("scale-run --load nothing --impl ours --connect 127.0.0.1:1", "--load nothing:", "echo, sessions, idle, shared-up")]
    [InlineData("scale-run --load echo --impl ours --connect 127.0.0.1:1 --count 0", "--count 0:", "1 to 1000000")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);
}
