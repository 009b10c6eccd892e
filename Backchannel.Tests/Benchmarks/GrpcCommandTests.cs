using System.Text.Json;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class GrpcCommandTests
{
    [Theory]
    [InlineData("grpc --layer tcp", "--layer tcp:", "mux, yamux, backchannel")]
    [InlineData("grpc --layer plain", "--layer plain:", "mux, yamux, backchannel")]
    [InlineData("grpc --pairs 0", "--pairs 0:", "1 to 1000")]
    [InlineData("grpc --seconds 0", "--seconds 0:", "0.01 to 3600")]
    [InlineData("grpc --json /nowhere/at/all", "--json /nowhere/at/all:")]
    [InlineData("grpc-serve --layer plain", "--listen")]
    [InlineData("grpc-serve --layer tcp --listen 127.0.0.1:0", "--layer tcp:", "plain, mux, yamux, backchannel")]
    [InlineData("grpc-serve --layer plain --listen nowhere", "--listen nowhere:", "HOST:PORT")]
    [InlineData("grpc-run --layer plain", "--connect")]
    [InlineData("grpc-run --layer plain --connect 127.0.0.1:0", "--connect 127.0.0.1:0:", "1 to 65535")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);

    [Theory]
    [InlineData("yamux", "grpc-1", "grpc-64", "grpc-stream")]
    [InlineData("backchannel", "backchannel-1", "backchannel-64", "backchannel-stream")]
    public async Task Calls_are_measured_against_a_plain_connection(string layer, params string[] ids)
    {
        using var folder = new TemporaryFolder();

        var result = await BenchmarksProcess.RunAsync("grpc", "--layer", layer, "--pairs", "1", "--seconds", "0.05", "--json", folder["results.json"]);

        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["results.json"], TestContext.Current.CancellationToken));
        var rows = json.RootElement.EnumerateArray().ToList();
        Assert.Equal(ids, rows.Select(row => row.GetProperty("id").GetString()));
        Assert.All(rows, row =>
        {
            var plain = row.GetProperty("peers").GetProperty("plain");
            Assert.True(row.GetProperty("ours").GetDouble() > 0);
            Assert.True(plain.GetProperty("value").GetDouble() > 0);
            Assert.Equal(0.9, plain.GetProperty("goal").GetDouble());
        });
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_failure()
    {
        var result = await BenchmarksProcess.RunAsync("grpc-run", "--layer", "plain", "--connect", "127.0.0.1:1");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("failed: the calls to 127.0.0.1:1: Unavailable", result.Error, StringComparison.Ordinal);
    }
}
