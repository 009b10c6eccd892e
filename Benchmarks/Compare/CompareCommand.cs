using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Plots;

namespace Benchmarks.Compare;

/// <summary>The command <c>compare</c>.</summary>
internal static class CompareCommand
{
    private const int DefaultPairs = 5;
    private const int QuickPairs = 2;

    /// <param name="plot">Draws the results: given their JSON, and the folder to draw into. Without it there is no --plot.</param>
    public static Command Create(Action<string, string>? plot = null)
    {
        var ids = WorkloadCatalog.All.SelectMany(workload => new[] { workload.Family, workload.Id }).Distinct().ToList();
        var only = ChoiceOption.CreateMany("--only", "Measures nothing but these workloads, where the name of a family, such as bulk1, is all of it:", ids);
        var skip = ChoiceOption.CreateMany("--skip", "Leaves out these peers:", WorkloadCatalog.Peers);
        var pairs = NumberOption.Whole("--pairs", $"How many times ours and theirs run in turn. Default {DefaultPairs}, and {QuickPairs} with --quick;", 1, 1000);
        var quick = new Option<bool>("--quick") { Description = "Measures smaller totals and shorter times, and one of each kind of link, within some two minutes." };
        var json = new Option<string?>("--json") { Description = "Also writes the results to this file.", HelpName = "FILE" };
        var command = new Command(
            "compare",
            "Measures every workload of this engine and of each peer in turn, client and server each a process of its own, and prints ours relative to theirs. Exit code 0 when all was measured, whether or not goals are met; 1 when a run failed, 130 when Ctrl-C stopped it.")
        {
            only, skip, pairs, quick, json,
        };
        var folder = new Option<string?>("--plot") { Description = "Also draws the results into this folder.", HelpName = "FOLDER" };
        if (plot is not null)
        {
            command.Add(folder);
        }

        command.SetAction(async parsed =>
        {
            var wanted = parsed.GetValue(only) ?? [];
            var isQuick = parsed.GetValue(quick);
            var workloads = WorkloadCatalog.All
                .Where(workload => wanted.Length == 0 ? !isQuick || WorkloadCatalog.IsQuick(workload) : wanted.Contains(workload.Id) || wanted.Contains(workload.Family)).ToList();
            var peers = WorkloadCatalog.Peers.Except(parsed.GetValue(skip) ?? []).ToList();
            var count = parsed.GetValue(pairs) is > 0 and var value ? value : isQuick ? QuickPairs : DefaultPairs;
            var comparison = new Comparison(workloads, peers, count, isQuick);
            var plotFolder = plot is null ? null : parsed.GetValue(folder);
            if (plotFolder is not null)
            {
                ChartFile.CreateFolder("--plot", plotFolder);
            }

            await using var file = parsed.GetValue(json) is { } path ? OutputFile.Create("--json", path) : null;
            var code = await ComparisonRunner.RunAsync(comparison, file, plotFolder is null ? null : text => plot!(text, plotFolder));
            if (isQuick)
            {
                Console.WriteLine("quick: little warm-up, small totals and fewer idle streams, so that goals cannot be judged by it.");
            }

            return code;
        });
        return command;
    }
}
