using System.CommandLine;
using Benchmarks.CommandLine;

namespace Benchmarks.Soak;

/// <summary>The command <c>soak</c>.</summary>
internal static class SoakCommand
{
    private const double ShortestMinutes = 0.1;
    private const double LongestMinutes = 7 * 24 * 60;

    public static Command Create()
    {
        var minutes = NumberOption.Fractional("--minutes", "How long it runs. Default 1;", ShortestMinutes, LongestMinutes, 1);
        var sessions = NumberOption.Whole("--sessions", "How many sessions there are at once. Default 8;", 1, 256, 8);
        var streams = NumberOption.Whole("--streams", "How many streams are open, or being opened, at once, over all sessions. Default 2000;", 1, 20_000, 2000);
        var seed = NumberOption.Whole("--seed", "What chance is drawn from. Default: another one each time;", 0, int.MaxValue, Random.Shared.Next());
        var command = new Command(
            "soak",
            "Opens, echoes, resets, half-closes and abandons streams at random over several sessions, on sockets, slow links and Kestrel's connections, ends those in every way, and starves the pool of threads at times. Fails on a wrong byte, a hang, an error that nothing explains, and on growth after the warm-up. Exit code 0 when all was well, 1 when it was not, 130 when Ctrl-C stopped it.")
        {
            minutes, sessions, streams, seed,
        };
        command.SetAction(async parsed =>
        {
            var settings = new SoakSettings(
                TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(sessions), parsed.GetValue(streams), parsed.GetValue(seed));
            using var interruption = new Interruption();
            using var run = new SoakRun(settings);
            return await run.RunAsync(interruption.Token);
        });
        return command;
    }
}
