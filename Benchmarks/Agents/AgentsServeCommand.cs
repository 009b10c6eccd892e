using System.CommandLine;
using System.Globalization;
using System.Net;
using Backchannel;
using Benchmarks.CommandLine;
using Benchmarks.Grpc;
using Benchmarks.Loads;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Agents;

/// <summary>The command <c>agents-serve</c>: the server's process, which measures what it reads, a line each, and answers with a figure.</summary>
internal static class AgentsServeCommand
{
    public const string Name = "agents-serve";

    /// <summary>Bytes that live on the heap.</summary>
    public const string Heap = "heap";

    /// <summary>With a number: each peer but so many, the first, is called once: seconds.</summary>
    public const string Call = "call";

    /// <summary>With a pattern and seconds: one peer is called by its invoker: calls per second.</summary>
    public const string ByInvoker = "invoker";

    /// <summary>The same by its name.</summary>
    public const string ByName = "name";

    /// <summary>With a count: nanoseconds to find one of so many names.</summary>
    public const string Lookup = "lookup";

    public static Command Create()
    {
        var kind = AgentOptions.Kind();
        var command = new Command(Name, "The server of agents-run, until its standard input ends.") { kind };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            var layer = AgentOptions.Parse(parsed.GetRequiredValue(kind)).IsMultiplexed() ? GrpcLayer.Yamux : GrpcLayer.Plain;
            await using var app = GrpcServer.Create(layer, new IPEndPoint(IPAddress.Loopback, 0));
            await app.StartAsync();
            Console.WriteLine($"{GrpcServeCommand.Ready}{GrpcServer.GetEndPoint(app)}");
            await StandardInput.AnswerAsync(async words => FormattableString.Invariant($"{words[0]} {await MeasureAsync(app.Services, words)} x"));
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<double> MeasureAsync(IServiceProvider services, string[] words)
    {
        var registry = services.GetRequiredService<IBackchannelRegistry>();
        switch (words)
        {
            case [Heap]:
                return LiveHeap.Measure();
            case [Call, var skip]:
                BackchannelPeer[] called = [.. registry.Peers.OrderBy(peer => peer.Id).Skip(int.Parse(skip, CultureInfo.InvariantCulture))];
                return await Crowd.RunAsync(called, async peer => await new Load.LoadClient(peer.Invoker).EchoAsync(new Note()));
            case [ByInvoker, var pattern, var seconds]:
                return await new Caller(registry.Peers.First().Invoker).MeasureAsync(CallPattern.Find(pattern)!, double.Parse(seconds, CultureInfo.InvariantCulture));
            case [ByName, var pattern, var seconds]:
                var named = services.GetRequiredService<IBackchannelPeers>().GetInvoker(registry.Peers.First().Name!);
                return await new Caller(named).MeasureAsync(CallPattern.Find(pattern)!, double.Parse(seconds, CultureInfo.InvariantCulture));
            case [Lookup, var count]:
                return NameLookups.Measure(registry.Peers.First(), int.Parse(count, CultureInfo.InvariantCulture));
            default:
                throw StandardInput.Unknown(words, $"one of {Heap}, {Call} SKIP, {ByInvoker} PATTERN SECONDS, {ByName} PATTERN SECONDS, {Lookup} COUNT");
        }
    }
}
