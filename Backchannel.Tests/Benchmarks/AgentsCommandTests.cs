using System.Text.Json;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class AgentsCommandTests
{
    [Theory]
    [InlineData("agents --agents 0", "--agents 0:", "1 to 20000")]
    [InlineData("agents --pairs 0", "--pairs 0:", "1 to 1000")]
    [InlineData("agents --names 1000001", "--names 1000001:", "1 to 1000000")]
    [InlineData("agents --json /nowhere/at/all", "--json /nowhere/at/all:")]
    [InlineData("agents-run --kind Plain", "--connect")]
    [InlineData("agents-serve --kind tcp", "--kind tcp:", "Plain, PlainStream, Connected, Attached")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Fact]
    public async Task Agents_are_measured_against_plain_connections_and_names_against_invokers()
    {
        using var folder = new TemporaryFolder();

        var result = await BenchmarksProcess.RunAsync("agents", "--agents", "5", "--names", "10", "--pairs", "1", "--seconds", "0.05", "--json", folder["results.json"]);

        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["results.json"], TestContext.Current.CancellationToken));
        var rows = json.RootElement.EnumerateArray().ToList();
        Assert.Equal(
            ["agents-connect", "agents-memory", "agents-memory-call", "agents-call", "agents-call-again", "attached-connect", "attached-memory", "named-1", "named-64", "named-lookup"],
            rows.Select(row => row.GetProperty("id").GetString()));
        Assert.Equal(["plain", "invoker"], rows.SelectMany(row => row.GetProperty("peers").EnumerateObject().Select(peer => peer.Name)).Distinct());
        Assert.Equal(150, rows[^1].GetProperty("goal").GetDouble());
    }
}
