using System.CommandLine;
using System.Text.Json;
using Benchmarks.CommandLine;

namespace Benchmarks.Plots;

/// <summary>The command <c>plot</c>.</summary>
internal static class PlotCommand
{
    public static Command Create()
    {
        var json = new Argument<string>("file") { Description = "What compare, grpc or scale has written with --json." };
        var folder = new Option<string>("--plot") { Description = "The folder to draw into.", HelpName = "FOLDER", Required = true };
        var command = new Command("plot", "Draws results as PNG and SVG.") { json, folder };
        command.SetAction(parsed => Draw(parsed.GetRequiredValue(json), parsed.GetRequiredValue(folder)));
        return command;
    }

    private static int Draw(string path, string folder)
    {
        try
        {
            var text = File.ReadAllText(path);
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Array)
            {
                ComparisonCharts.Draw(text, folder);
            }
            else
            {
                CurveFile.Parse(text).Draw(folder);
            }

            return ExitCode.Success;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ExplainedException($"{path}: {error.Message}");
        }
        catch (JsonException error)
        {
            throw new ExplainedException($"{path}: it is not what compare, grpc or scale writes: {error.Message}");
        }
    }
}
