using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class ProfileCommandTests
{
    // Workloads that keep several threads of both ends at work: of one that waits for its only answer most of the time, a busy machine finds no sample.
    [Theory]
    [InlineData("bulk16")]
    [InlineData("backchannel-stream")]
    public async Task Both_ends_of_a_workload_are_profiled(string id)
    {
        using var folder = new TemporaryFolder();

        var result = await BenchmarksProcess.RunAsync("profile", id, "--seconds", "3", "--top", "3", "--where", "e", "--output", folder["trace"]);

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.All(new[] { "server", "client" }, end =>
        {
            Assert.True(new FileInfo(folder[$"trace.{end}.nettrace"]).Length > 0);
            Assert.Matches($"{id}, {end}: .*, [1-9][0-9]* samples of threads at work", result.Output);
        });
        Assert.Matches(@" [0-9.]+ %  \S", result.Output);
        Assert.Contains("  called by", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("profile", "profile --help")]
    [InlineData("profile nothing", "nothing:", "bulk1", "echo64", "grpc-1", "backchannel-stream")]
    [InlineData("profile alloc", "alloc:", "bulk1")]
    [InlineData("profile echo1 --seconds 0", "--seconds 0:", "0.1 to 600")]
    [InlineData("profile echo1 --top 0", "--top 0:", "1 to 1000")]
    [InlineData("profile echo1 --output /nowhere/at/all", "--output /nowhere/at/all.server.nettrace:")]
    public async Task A_wrong_command_line_is_explained(string commandLine, params string[] explanation)
        => (await BenchmarksProcess.RunAsync(commandLine.Split(' '))).AssertExplained(explanation);
}
