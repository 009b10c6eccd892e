using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Loads;

namespace Benchmarks.Scale;

/// <summary>The command <c>scale-run</c>: the client's process.</summary>
internal static class ScaleRunCommand
{
    public const string Name = "scale-run";

    private const int LargestCount = 1_000_000;

    public static Command Create()
    {
        var load = ChoiceOption.CreateOne("--load", "What to do:", ScaleLoads.Names);
        var wire = new WireOptions();
        var connect = EndPointOption.Create("--connect", "Where serve listens.", lowestPort: 1);
        connect.Required = true;
        var count = NumberOption.Whole("--count", "How many streams, sessions or bulk streams. Default 1;", 1, LargestCount, 1);
        var seconds = NumberOption.Fractional("--seconds", "How long is measured. Default 1;", 0.01, 3600, 1);
        var command = new Command(Name, "Measures one point of a curve of scale.") { load, connect, count, seconds };
        wire.AddTo(command);
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var target = new LoadTarget(wire.Implementation(parsed), parsed.GetRequiredValue(connect), wire.Settings(parsed));
            var time = TimeSpan.FromSeconds(parsed.GetValue(seconds));
            var settings = new LoadSettings(Quick: false, Bytes: null, time, WarmUp: time / 2, Streams: parsed.GetValue(count));
            try
            {
                foreach (var figure in await Task.Run(() => ScaleLoads.Create(parsed.GetRequiredValue(load), parsed.GetValue(count)).RunAsync(target, settings)))
                {
                    Console.WriteLine(figure);
                }

                return ExitCode.Success;
            }
            catch (Exception error)
            {
                await Console.Error.WriteLineAsync($"failed: {error.Message}");
                return ExitCode.Failure;
            }
        });
        return command;
    }
}
