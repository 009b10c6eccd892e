using System.CommandLine;
using Benchmarks.CommandLine;
using Benchmarks.Compare;
using Microsoft.Diagnostics.NETCore.Client;

namespace Benchmarks.Profile;

/// <summary>The command <c>profile</c>.</summary>
internal static class ProfileCommand
{
    // Until then the compiler is still at work on what it has found to be hot.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestStop = TimeSpan.FromMinutes(1);

    public static Command Create()
    {
        var ids = string.Join(", ", ProfiledPair.Ids);
        var id = new Argument<string>("id") { Description = $"The workload: {ids}." };
        id.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !ProfiledPair.Ids.Contains(token.Value))
            {
                result.AddError($"{token.Value}: must be one of {ids}.");
            }
        });
        var seconds = NumberOption.Fractional("--seconds", "How long is recorded, after a warm-up. Default 3;", 0.1, 600, 3);
        var top = NumberOption.Whole("--top", "How many methods are printed. Default 25;", 1, 1000, 25);
        var where = new Option<string?>("--where")
        {
            Description = "Also prints the stacks under which methods with this in their names were at work themselves.",
            HelpName = "NAME",
        };
        var output = new Option<string>("--output")
        {
            Description = "Where the traces go: PREFIX.server.nettrace and PREFIX.client.nettrace, for PerfView, Visual Studio or dotnet-trace. Default: the id.",
            HelpName = "PREFIX",
        };
        var command = new Command(
            "profile",
            "Runs a workload and samples where its server and its client spend their time: the methods at work themselves, and those on the stack.")
        {
            id, seconds, top, where, output,
        };
        command.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var workload = parsed.GetRequiredValue(id);
            var prefix = parsed.GetValue(output) ?? workload;
            try
            {
                await RecordAsync(workload, prefix, TimeSpan.FromSeconds(parsed.GetValue(seconds)), interruption.Token);
            }
            catch (Exception) when (interruption.Token.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
            catch (Exception error) when (error is MeasurementException or DiagnosticsClientException or TimeoutException)
            {
                await Console.Error.WriteLineAsync($"failed: {workload}: {error.Message}");
                return ExitCode.Failure;
            }

            foreach (var end in Ends)
            {
                Print($"{workload}, {end}: {TracePath(prefix, end)}", MethodShares.Read(TracePath(prefix, end), parsed.GetValue(where)), parsed.GetValue(top));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static IReadOnlyList<string> Ends { get; } = ["server", "client"];

    private static string TracePath(string prefix, string end) => $"{prefix}.{end}.nettrace";

    private static async Task RecordAsync(string workload, string prefix, TimeSpan duration, CancellationToken cancellationToken)
    {
        await using var serverFile = OutputFile.Create("--output", TracePath(prefix, Ends[0]));
        serverFile.SetLength(0);
        await using var clientFile = OutputFile.Create("--output", TracePath(prefix, Ends[1]));
        clientFile.SetLength(0);
        await using var pair = await ProfiledPair.StartAsync(workload, cancellationToken);
        await Task.Delay(WarmUp, cancellationToken);
        await using var server = await CpuTrace.StartAsync(pair.Server.Id, serverFile, cancellationToken);
        await using var client = await CpuTrace.StartAsync(pair.Client.Id, clientFile, cancellationToken);
        await Task.Delay(duration, cancellationToken);
        await Task.WhenAll(server.StopAsync(cancellationToken), client.StopAsync(cancellationToken)).WaitAsync(LongestStop, cancellationToken);
    }

    private static void Print(string title, MethodShares shares, int count)
    {
        Console.WriteLine($"{title}, {shares.Samples} samples of threads at work");
        Print("itself", shares.TopExclusive(count));
        Print("on the stack", shares.TopInclusive(count));
        Print("called by", shares.TopStacks(count));
        Console.WriteLine();
    }

    private static void Print(string heading, IEnumerable<MethodShare> shares)
    {
        foreach (var (index, share) in shares.Index())
        {
            Console.WriteLine(index == 0 ? $"  {heading}\n  {share}" : $"  {share}");
        }
    }
}
