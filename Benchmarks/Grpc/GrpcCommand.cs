using System.CommandLine;
using Benchmarks.CommandLine;

namespace Benchmarks.Grpc;

/// <summary>The command <c>grpc</c>.</summary>
internal static class GrpcCommand
{
    private static readonly GrpcLayer[] Measured = [GrpcLayer.Mux, GrpcLayer.Yamux, GrpcLayer.Backchannel];

    public static Command Create()
    {
        var pairs = NumberOption.Whole("--pairs", "How many times plain and ours are measured in turn. Default 5;", 1, 1000, 5);
        var seconds = NumberOption.Fractional("--seconds", "How long each measurement takes. Default 1;", 0.01, 3600, 1);
        var json = new Option<string?>("--json") { Description = "Also writes the figures to this file.", HelpName = "FILE" };
        var command = new Command(
            "grpc",
            "Measures gRPC calls, one and 64 at a time, and a server stream of 64 KiB messages: behind a listener mux, over a multiplexed connection, and over the backchannel, each against a plain connection. Exit code 0 when every goal was met, 1 when one was not.")
        {
            pairs, seconds, json,
        };
        command.SetAction(async parsed =>
        {
            await using var comparison = new GrpcComparison(parsed.GetValue(pairs), parsed.GetValue(seconds));
            Console.WriteLine($"{"",-20}{"ours",12}{"plain",12}            ratio   min   max  goal");
            var rows = await comparison.RunAsync(Measured, row => Console.WriteLine(Describe(row)));
            if (parsed.GetValue(json) is { } path)
            {
                await WriteAsync(path, GrpcJson.Write(rows));
            }

            return rows.All(row => row.IsMet) ? 0 : 1;
        });
        return command;
    }

    private static string Describe(GrpcRow row)
        => FormattableString.Invariant($"{row.Id,-20}{row.Ours,12:#,##0}{row.Plain,12:#,##0}  {row.Workload.Unit,-7}  {row.MedianRatio,6:0.00}{row.MinRatio,6:0.00}{row.MaxRatio,6:0.00}  ")
            + (row.Goal is { } goal ? FormattableString.Invariant($"{goal:0.00} {(row.IsMet ? "met" : "missed")}") : "");

    private static async Task WriteAsync(string path, string text)
    {
        try
        {
            await File.WriteAllTextAsync(path, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ExplainedException($"--json {path}: {error.Message}");
        }
    }
}
