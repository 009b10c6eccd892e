using System.CommandLine;
using System.Net;
using Benchmarks.CommandLine;
using Benchmarks.Loads;

namespace Benchmarks.Run;

/// <summary>The command <c>run</c>.</summary>
internal static class RunCommand
{
    private const double LongestSeconds = 3600;

    private static readonly IPEndPoint Nowhere = new(IPAddress.None, 0);

    public static Command Create()
    {
        var ids = string.Join(", ", LoadCatalog.All.Select(load => load.Id));
        var id = new Argument<string>("id") { Description = $"What to measure: {ids}." };
        id.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && LoadCatalog.All.All(load => load.Id != token.Value))
            {
                result.AddError($"{token.Value}: must be one of {ids}.");
            }
        });
        var wire = new WireOptions();
        var connect = EndPointOption.Create("--connect", "Where the server listens. Not for alloc, which needs none.", lowestPort: 1);
        var quick = new Option<bool>("--quick") { Description = "Measures a smaller total, or a shorter time." };
        var mebibytes = NumberOption.Whole("--mib", "The total in MiB of bulk1, bulk16 and small. Default 2048, and 256 for small;", 1, 1 << 20);
        var seconds = NumberOption.Fractional("--seconds", "How long the others are measured. Default 0.8, and 1 for bdp;", 0.01, LongestSeconds);
        var warmUp = NumberOption.Fractional("--warm-up", "How many seconds all but idle and alloc run before they are measured. Default 1.5, and 1 for bdp;", 0, LongestSeconds);
        var streams = NumberOption.Whole("--streams", "How many streams are idle. Default 10000;", 1, 1_000_000);
        var command = new Command("run", "Plays the client's end of a measurement against any server, and prints what it has measured: a line 'ID VALUE UNIT', then further figures in the same form.")
        {
            id, connect, quick, mebibytes, seconds, warmUp, streams,
        };
        wire.AddTo(command);
        command.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var load = LoadCatalog.All.Single(load => load.Id == parsed.GetRequiredValue(id));
            var address = parsed.GetValue(connect);
            if (load.NeedsServer && address is null)
            {
                throw new ExplainedException($"{load.Id}: --connect HOST:PORT is required. See run --help.");
            }

            var target = new LoadTarget(wire.Implementation(parsed), address ?? Nowhere, wire.Settings(parsed));
            var settings = new LoadSettings(
                parsed.GetValue(quick),
                parsed.GetValue(mebibytes) is > 0 and var value ? (long)value << 20 : null,
                Seconds(parsed, seconds),
                Seconds(parsed, warmUp),
                parsed.GetValue(streams) is > 0 and var count ? count : null);
            return await RunAsync(load, target, settings, interruption.Token);
        });
        return command;
    }

    private static TimeSpan? Seconds(ParseResult parsed, Option<double> option)
        => parsed.GetResult(option) is null ? null : TimeSpan.FromSeconds(parsed.GetValue(option));

    private static async Task<int> RunAsync(ILoad load, LoadTarget target, LoadSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            // No load watches for the end, which would cost what is measured: the process ends under it.
            foreach (var figure in await Task.Run(() => load.RunAsync(target, settings), cancellationToken).WaitAsync(cancellationToken))
            {
                Console.WriteLine(figure);
            }

            return ExitCode.Success;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync($"failed: {load.Id} of {target.Implementation.Name}: {error.Message}");
            return ExitCode.Failure;
        }
    }
}
