using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>The sample Fleet, as the program that it is.</summary>
public class FleetTests
{
    [Fact]
    public async Task The_demo_shows_a_fleet_and_ends_well()
    {
        await using var fleet = new ProgramProcess("Fleet", []);

        var result = await fleet.EndAsync();

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var lines = result.Output.TrimEnd().Split('\n');
        foreach (var shown in new[] { "  device-1", "  device-2", "  device-3", "  POST /devices/device-2/restart   200 {\"restarts\":1}", "  20.0 °C" })
        {
            Assert.Contains(lines, line => line.StartsWith(shown, StringComparison.Ordinal));
        }

        Assert.StartsWith("ok: ", lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("agent")]
    [InlineData("server", "127.0.0.1")]
    [InlineData("server", "here:5001")]
    public async Task What_is_no_command_is_told_how_it_is_used(params string[] arguments)
    {
        await using var fleet = new ProgramProcess("Fleet", arguments);

        var result = await fleet.EndAsync();

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: dotnet run --project Samples/Fleet", result.Error, StringComparison.Ordinal);
    }
}
