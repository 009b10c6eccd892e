using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Compare;

namespace Benchmarks.Agents;

/// <summary>The command <c>agents</c>.</summary>
internal static class AgentsCommand
{
    private const int QuickAgents = 100;

    public static Command Create()
    {
        var groups = ChoiceOption.CreateMany("--group", "Measures nothing but these groups:", AgentsPlan.AllGroups);
        var agents = NumberOption.Whole("--agents", "How many clients connect. Default 3000;", 1, 20_000, 3000);
        var names = NumberOption.Whole("--names", "Among how many names one is looked up. Default 100000;", 1, 1_000_000, 100_000);
        var pairs = NumberOption.Whole("--pairs", "How many times plain and ours are measured in turn. Default 3;", 1, 1000, 3);
        var seconds = NumberOption.Fractional("--seconds", "How long calls to one agent are measured. Default 1;", 0.01, 3600, 1);
        var quick = new Option<bool>("--quick") { Description = $"Measures one pair of {QuickAgents} clients: that it works." };
        var json = new Option<string?>("--json") { Description = "Also writes the results to this file.", HelpName = "FILE" };
        var command = new Command(
            "agents",
            "Measures many clients that the server can call, 64 of which connect or are called at a time, and those that are attached under a name, each against as many plain connections; and calls by name against calls by a peer's invoker. Exit code 0 when all was measured, whether or not goals are met; 1 when a run failed, 130 when Ctrl-C stopped it.")
        {
            groups, agents, names, pairs, seconds, quick, json,
        };
        command.SetAction(async parsed =>
        {
            var plan = new AgentsPlan(parsed.GetValue(agents), parsed.GetValue(pairs), parsed.GetValue(seconds), parsed.GetValue(names), parsed.GetValue(groups) is { Length: > 0 } some ? some : AgentsPlan.AllGroups);
            if (parsed.GetValue(quick))
            {
                plan = plan with { Agents = QuickAgents, Pairs = 1, Seconds = plan.Seconds / 5 };
            }

            await using var file = parsed.GetValue(json) is { } path ? OutputFile.Create("--json", path) : null;
            return await ComparisonRunner.RunAsync(new AgentsComparison(plan, Console.Error), file, plot: null);
        });
        return command;
    }
}
