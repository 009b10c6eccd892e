using Backchannel.Tests.Benchmarks;
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

    [Fact]
    public async Task The_parts_run_apart_and_each_stops_at_a_signal()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals there");
        using var folder = new TemporaryFolder();
        await using var server = new ProgramProcess("Fleet", ["server", "127.0.0.1:0", "127.0.0.1:0"], folder: folder.Path);
        var devices = await server.ReadLineAsync("      Now listening on: https://127.0.0.1:");
        var people = await server.ReadLineAsync("      Now listening on: ");
        await using var first = new ProgramProcess("Fleet", ["agent", "device-1", $"https://localhost:{devices}"], folder: folder.Path);
        await using var second = new ProgramProcess("Fleet", ["agent", "device-2", $"https://localhost:{devices}"], folder: folder.Path);
        Assert.Contains("as device-1", await first.ReadLineAsync("      Attached to "), StringComparison.Ordinal);
        Assert.Contains("as device-2", await second.ReadLineAsync("      Attached to "), StringComparison.Ordinal);
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri($"{people}/devices/device-1/restart"), content: null).Guarded();
        Assert.Equal("{\"restarts\":1}", await answer.Content.ReadAsStringAsync().Guarded());

        second.Terminate();
        Assert.Equal((0, ""), await EndAsync(second));
        server.Terminate();
        Assert.Equal((0, ""), await EndAsync(server));
        first.Terminate();
        Assert.Equal((0, ""), await EndAsync(first));

        static async Task<(int, string)> EndAsync(ProgramProcess process)
        {
            var result = await process.EndAsync();
            return (result.ExitCode, result.Error);
        }
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
