using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Compare;
using Benchmarks.Plots;

namespace Benchmarks.Scale;

/// <summary>The command <c>scale</c>.</summary>
internal static class ScaleCommand
{
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Measures few points, within a minute: that it works." };
        var json = new Option<string?>("--json") { Description = "Also writes the curves to this file.", HelpName = "FILE" };
        var folder = new Option<string?>("--plot") { Description = "Also draws the curves into this folder.", HelpName = "FOLDER" };
        var command = new Command(
            "scale",
            "Measures how cost grows: echo by number of streams and of sessions, memory by number of idle streams, finding a peer by number of peers, and what a bulk stream does to its neighbour. Exit code 0 when all was measured, 1 when a run failed, 130 when Ctrl-C stopped it.")
        {
            quick, json, folder,
        };
        command.SetAction(async parsed =>
        {
            if (parsed.GetValue(folder) is { } path)
            {
                ChartFile.CreateFolder("--plot", path);
            }

            await using var file = parsed.GetValue(json) is { } name ? OutputFile.Create("--json", name) : null;
            await using var run = new ScaleRun(parsed.GetValue(quick) ? ScalePlan.Quick : ScalePlan.Full, Console.Out);
            using var interruption = new Interruption();
            var code = ExitCode.Success;
            try
            {
                await run.RunAsync(interruption.Token);
            }
            catch (Exception) when (interruption.Token.IsCancellationRequested)
            {
                code = ExitCode.Interrupted;
            }
            catch (MeasurementException error)
            {
                code = ExitCode.Failure;
                await Console.Error.WriteLineAsync($"failed: {error.Message}");
            }

            if (run.HasMeasured)
            {
                BuildCheck.Warn(Console.Out);
                await PutOutAsync(run.Curves(), file, parsed.GetValue(folder));
            }

            return code;
        });
        return command;
    }

    private static async Task PutOutAsync(CurveFile curves, FileStream? json, string? folder)
    {
        if (json is not null)
        {
            await OutputFile.ReplaceAsync(json, curves.Write());
        }

        if (folder is not null)
        {
            curves.Draw(folder);
        }
    }
}
