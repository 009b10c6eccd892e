using System.CommandLine;
using System.Globalization;
using Benchmarks.CommandLine;
using Grpc.Core;

namespace Benchmarks.Grpc;

/// <summary>The command <c>grpc-run</c>: the client's process.</summary>
internal static class GrpcRunCommand
{
    public const string Name = "grpc-run";

    public static Command Create()
    {
        var layer = GrpcOptions.Layer();
        var connect = GrpcOptions.EndPoint("--connect", "Where grpc-serve listens.");
        var seconds = NumberOption.Fractional("--seconds", "How long each workload is measured. Default 1;", 0.01, 3600, 1);
        var follow = new Option<bool>("--follow")
        {
            Description = "Reads what to run from the standard input, a line each: WORKLOAD SECONDS. Ends with the input.",
        };
        var command = new Command(Name, "Measures gRPC calls to grpc-serve.") { layer, connect, seconds, follow };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var server = parsed.GetRequiredValue(connect);
            await using var client = new GrpcClient(parsed.GetRequiredValue(layer), server);
            try
            {
                await (parsed.GetValue(follow) ? FollowAsync(client) : RunAsync(client, parsed.GetValue(seconds)));
            }
            catch (RpcException error)
            {
                throw new ExplainedException($"The calls to {server} fail: {error.Status.StatusCode}, {error.Status.Detail}");
            }

            return 0;
        });
        return command;
    }

    private static async Task RunAsync(GrpcClient client, double seconds)
    {
        foreach (var workload in GrpcWorkload.All)
        {
            await MeasureAsync(client, workload, seconds);
        }
    }

    private static async Task FollowAsync(GrpcClient client)
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var parts = line.Split(' ');
            if (parts.Length != 2
                || GrpcWorkload.Find(parts[0]) is not { } workload
                || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            {
                throw new ExplainedException($"The line \"{line}\" must be WORKLOAD SECONDS, with a workload of {string.Join(", ", GrpcWorkload.All.Select(each => each.Id))}.");
            }

            await MeasureAsync(client, workload, seconds);
        }
    }

    private static async Task MeasureAsync(GrpcClient client, GrpcWorkload workload, double seconds)
    {
        var value = await client.MeasureAsync(workload, seconds);
        Console.WriteLine(FormattableString.Invariant($"{workload.Id} {value:0.##} {workload.Unit}"));
    }
}
