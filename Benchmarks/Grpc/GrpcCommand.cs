using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Compare;

namespace Benchmarks.Grpc;

/// <summary>The command <c>grpc</c>.</summary>
internal static class GrpcCommand
{
    public static Command Create()
    {
        var layers = ChoiceOption.CreateMany("--layer", "Measures nothing but these layers:", [.. GrpcWorkload.All.Select(workload => GrpcOptions.Text(workload.Layer)).Distinct()]);
        var pairs = NumberOption.Whole("--pairs", "How many times plain and ours are measured in turn. Default 5;", 1, 1000, 5);
        var seconds = NumberOption.Fractional("--seconds", "How long each measurement takes. Default 1;", 0.01, 3600, 1);
        var json = new Option<string?>("--json") { Description = "Also writes the results to this file.", HelpName = "FILE" };
        var command = new Command(
            "grpc",
            "Measures gRPC calls, one and 64 at a time, and a server stream of 64 KiB messages: behind a listener mux, over a multiplexed connection, and over the backchannel, each against a plain connection. Exit code 0 when all was measured, whether or not goals are met; 1 when a run failed, 130 when Ctrl-C stopped it.")
        {
            layers, pairs, seconds, json,
        };
        command.SetAction(async parsed =>
        {
            var wanted = parsed.GetValue(layers) ?? [];
            var workloads = GrpcWorkload.All
                .Where(workload => wanted.Length == 0 || wanted.Contains(GrpcOptions.Text(workload.Layer)))
                .Select(workload => workload with { Seconds = parsed.GetValue(seconds) }).ToList();
            await using var file = parsed.GetValue(json) is { } path ? OutputFile.Create("--json", path) : null;
            return await ComparisonRunner.RunAsync(new Comparison(workloads, peers: [], parsed.GetValue(pairs), quick: false), file, plot: null);
        });
        return command;
    }
}
