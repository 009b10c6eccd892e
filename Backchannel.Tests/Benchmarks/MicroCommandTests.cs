using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public class MicroCommandTests
{
#if DEBUG
    [Fact]
    public async Task A_debug_build_measures_nothing()
        => (await BenchmarksProcess.RunAsync("micro", "--filter", "*")).AssertExplained("Debug", "-c Release");
#else
    [Fact]
    public async Task Each_step_runs_once()
    {
        var result = await BenchmarksProcess.RunAsync("micro", "--filter", "*", "--job", "Dry");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("OpenAndClose", result.Output, StringComparison.Ordinal);
    }
#endif
}
