using System.CommandLine;
using System.Globalization;
using Backchannel;
using Benchmarks.CommandLine;
using Benchmarks.Grpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Agents;

/// <summary>The command <c>agents-run</c>: the process of the clients, which does what it reads, a line each, and answers with the seconds it took.</summary>
internal static class AgentsRunCommand
{
    public const string Name = "agents-run";

    /// <summary>With a number: so many connect.</summary>
    public const string Connect = "connect";

    /// <summary>With a number: each that has connected but so many, the first, makes a call.</summary>
    public const string Call = "call";

    public static Command Create()
    {
        var kind = AgentOptions.Kind();
        var connect = EndPointOption.Create("--connect", "Where agents-serve listens.", lowestPort: 1);
        connect.Required = true;
        var command = new Command(Name, "Clients of agents-serve, as many as it reads from its standard input.") { kind, connect };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var agents = new List<Agent>();
            await using var host = BackchannelHost.Create(services => services.AddGrpc(), endpoints => endpoints.MapGrpcService<LoadService>());
            try
            {
                await StandardInput.AnswerAsync(async words =>
                {
                    var seconds = words switch
                    {
                        [Connect, var count] => await ConnectAsync(int.Parse(count, CultureInfo.InvariantCulture)),
                        [Call, var skip] => await Crowd.RunAsync(agents[int.Parse(skip, CultureInfo.InvariantCulture)..], agent => agent.CallAsync()),
                        _ => throw StandardInput.Unknown(words, $"{Connect} COUNT or {Call} SKIP"),
                    };
                    return FormattableString.Invariant($"{words[0]} {seconds} s");
                });
            }
            catch (RpcException error)
            {
                await Console.Error.WriteLineAsync($"failed: client {agents.Count}: {error.Status.StatusCode}, {error.Status.Detail}");
                return ExitCode.Failure;
            }

            return ExitCode.Success;

            async Task<double> ConnectAsync(int count)
            {
                Agent[] more = [.. Enumerable.Range(agents.Count, count).Select(number => new Agent(AgentOptions.Parse(parsed.GetRequiredValue(kind)), $"agent-{number}", parsed.GetRequiredValue(connect), host))];
                agents.AddRange(more);
                return await Crowd.RunAsync(more, agent => agent.ConnectAsync());
            }
        });
        return command;
    }
}
