using System.CommandLine;
using System.Globalization;
using Benchmarks.CommandLine;

namespace Benchmarks.Frames;

/// <summary>The command <c>frames</c>.</summary>
internal static class FramesCommand
{
    // How many times the cheapest frame of its group a frame may cost.
    private const double MaxRatio = 3;

    public static Command Create()
    {
        var rounds = NumberOption.Whole("--rounds", "How often each is measured; the median counts.", 1, 1000, 11);
        var only = new Option<string>("--only") { Description = "Only groups or frames with this text in their name.", HelpName = "TEXT" };
        var command = new Command("frames", "Measures what frames with hostile ids, sizes and orders cost: processor time a frame, by what they make the session do.") { rounds, only };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetRequiredValue(rounds), parsed.GetValue(only) ?? "", cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(int rounds, string only, CancellationToken cancellationToken)
    {
        var isWithin = true;
        var cases = FrameCatalog.All.Where(frames => $"{frames.Group}: {frames.Name}".Contains(only, StringComparison.OrdinalIgnoreCase));
        Console.WriteLine("| what it makes this end do | frame | ns | × |\n|---|---|---|---|");
        foreach (var group in cases.GroupBy(frames => frames.Group))
        {
            var costs = new List<(string Name, double Cost)>();
            foreach (var frames in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                costs.Add((frames.Name, await FrameMeter.MeasureAsync(frames, rounds)));
            }

            var cheapest = costs.Min(each => each.Cost);
            isWithin &= costs.TrueForAll(each => each.Cost <= MaxRatio * cheapest);
            foreach (var (name, cost) in costs)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {group.Key} | {name} | {cost:N0} | {cost / cheapest:N1} |"));
            }
        }

        BuildCheck.Warn(Console.Out);
        return isWithin ? ExitCode.Success : ExitCode.Failure;
    }
}
