using System.Text.RegularExpressions;
using Xunit;

namespace Backchannel.Tests.Benchmarks;

[Collection(BenchmarksCollection.Name)]
public partial class SoakTests
{
    [Fact]
    public async Task A_short_soak_finds_nothing()
    {
        var result = await BenchmarksProcess.RunAsync("soak", "--minutes", "0.1", "--sessions", "3", "--streams", "100", "--seed", "1");

        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("soak: 0.1 min, 3 sessions, 100 streams at once, --seed 1;", result.Output, StringComparison.Ordinal);
        var opened = Assert.Single(Ok().Matches(result.LastLine)).Groups["opened"].Value;
        Assert.NotEqual("0", opened);
    }

    [Fact]
    public async Task An_interrupted_soak_stops_in_good_order_and_tells_how_far_it_came()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals there");
        await using var soak = new BenchmarksProcess("soak", "--minutes", "10", "--sessions", "2", "--streams", "50");
        Assert.StartsWith("soak: 10 min", await soak.ReadLineAsync(), StringComparison.Ordinal);

        soak.Terminate();

        var result = await soak.EndAsync();
        Assert.Equal("", result.Error);
        Assert.Equal(130, result.ExitCode);
        Assert.Matches("^stopped: [0-9]+:[0-9]{2}, [0-9,]+ streams opened", result.LastLine);
    }

    [GeneratedRegex("^ok: [0-9]+:[0-9]{2}, (?<opened>[0-9,]+) streams opened, .* [0-9,]+ sessions replaced$")]
    private static partial Regex Ok();
}
