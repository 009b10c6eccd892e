using System.Text.Json;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class AgentsCommandTests
{
    [Theory]
    [InlineData("agents --group all", "--group all:", "connected, attached, named")]
    [InlineData("agents --agents 0", "--agents 0:", "1 to 20000")]
    [InlineData("agents --pairs 0", "--pairs 0:", "1 to 1000")]
    [InlineData("agents --names 1000001", "--names 1000001:", "1 to 1000000")]
    [InlineData("agents --json /nowhere/at/all", "--json /nowhere/at/all:")]
    [InlineData("agents-run --kind Plain", "--connect")]
    [InlineData("agents-serve --kind tcp", "--kind tcp:", "Plain, PlainStream, Connected, Attached")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Theory]
    [InlineData("connected", "plain", "agents-connect", "agents-memory", "agents-memory-call", "agents-call", "agents-call-again")]
    [InlineData("attached", "plain", "attached-connect", "attached-memory")]
    [InlineData("named", "invoker", "named-1", "named-64", "named-lookup")]
    public async Task Agents_are_measured_against_plain_connections_and_names_against_invokers(string group, string peer, params string[] ids)
    {
        using var folder = new TemporaryFolder();

        var result = await BenchmarksProcess.RunAsync("agents", "--group", group, "--agents", "5", "--names", "10", "--pairs", "1", "--seconds", "0.05", "--json", folder["results.json"]);

        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["results.json"], TestContext.Current.CancellationToken));
        var rows = json.RootElement.EnumerateArray().ToList();
        Assert.Equal(ids, rows.Select(row => row.GetProperty("id").GetString()));
        Assert.Equal([peer], rows.SelectMany(row => row.GetProperty("peers").EnumerateObject().Select(measured => measured.Name)).Distinct());
        Assert.All(rows.Where(row => row.GetProperty("unit").GetString() != "B"), row => Assert.True(row.GetProperty("ours").GetDouble() > 0)); // What so few take is lost among what else is allocated.
    }
}
