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
        var connect = EndPointOption.Create("--connect", "Where grpc-serve listens.", lowestPort: 1);
        connect.Required = true;
        var seconds = NumberOption.Fractional("--seconds", "How long each pattern of calls is measured. Default 1;", 0.01, 3600, 1);
        var follow = GrpcOptions.Follow("Reads what to run from the standard input, a line each: PATTERN SECONDS. Ends with the input.");
        var command = new Command(Name, "Measures gRPC calls to grpc-serve: a line 'PATTERN VALUE UNIT' for each pattern.") { layer, connect, seconds, follow };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var server = parsed.GetRequiredValue(connect);
            await using var client = new GrpcClient(GrpcOptions.Parse(parsed.GetRequiredValue(layer)), server);
            try
            {
                await (parsed.GetValue(follow) ? FollowAsync(client) : RunAsync(client, parsed.GetValue(seconds)));
            }
            catch (RpcException error)
            {
                await Console.Error.WriteLineAsync($"failed: the calls to {server}: {error.Status.StatusCode}, {error.Status.Detail}");
                return ExitCode.Failure;
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static async Task RunAsync(GrpcClient client, double seconds)
    {
        foreach (var pattern in CallPattern.Near)
        {
            Console.WriteLine(await MeasureAsync(client, pattern, seconds));
        }
    }

    private static Task FollowAsync(GrpcClient client) => StandardInput.AnswerAsync(words =>
        words is [var name, var number]
            && CallPattern.Find(name) is { } pattern
            && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            ? MeasureAsync(client, pattern, seconds)
            : throw StandardInput.Unknown(words, $"PATTERN SECONDS, with a pattern of {string.Join(", ", CallPattern.All.Select(each => each.Name))}"));

    private static async Task<string> MeasureAsync(GrpcClient client, CallPattern pattern, double seconds)
    {
        var value = await client.MeasureAsync(pattern, seconds);
        return FormattableString.Invariant($"{pattern.Name} {value:0.##} {pattern.Unit}");
    }
}
