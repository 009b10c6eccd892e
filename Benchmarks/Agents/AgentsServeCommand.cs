using System.CommandLine;
using System.Globalization;
using System.Net;
using Backchannel;
using Benchmarks.CommandLine;
using Benchmarks.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Agents;

/// <summary>The command <c>agents-serve</c>: the server's process, which measures what it reads, a line each, and answers with a figure.</summary>
internal static class AgentsServeCommand
{
    public const string Name = "agents-serve";

    /// <summary>Bytes that live on the heap.</summary>
    public const string Heap = "heap";

    /// <summary>Each peer is called once: seconds.</summary>
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
            var layer = AgentOptions.Parse(parsed.GetRequiredValue(kind)) is AgentKind.Plain or AgentKind.PlainStream ? GrpcLayer.Plain : GrpcLayer.Yamux;
            await using var app = GrpcServer.Create(layer, new IPEndPoint(IPAddress.Loopback, 0));
            await app.StartAsync();
            Console.WriteLine($"{GrpcServeCommand.Ready}{GrpcServer.GetEndPoint(app)}");
            while (await Console.In.ReadLineAsync() is { } line)
            {
                Console.WriteLine(FormattableString.Invariant($"{line.Split(' ')[0]} {await MeasureAsync(app.Services, line)} x"));
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<double> MeasureAsync(IServiceProvider services, string line)
    {
        var registry = services.GetRequiredService<IBackchannelRegistry>();
        switch (line.Split(' '))
        {
            case [Heap]:
                return LiveHeap();
            case [Call]:
                return await Crowd.RunAsync(registry.Peers, async peer => await new Load.LoadClient(peer.Invoker).EchoAsync(new Note()));
            case [ByInvoker, var pattern, var seconds]:
                return await new Caller(registry.Peers.First().Invoker).MeasureAsync(CallPattern.Find(pattern)!, double.Parse(seconds, CultureInfo.InvariantCulture));
            case [ByName, var pattern, var seconds]:
                var named = services.GetRequiredService<IBackchannelPeers>().GetInvoker(registry.Peers.First().Name!);
                return await new Caller(named).MeasureAsync(CallPattern.Find(pattern)!, double.Parse(seconds, CultureInfo.InvariantCulture));
            case [Lookup, var count]:
                return NameLookups.Measure(registry.Peers.First(), int.Parse(count, CultureInfo.InvariantCulture));
            default:
                throw new ExplainedException($"The line \"{line}\" must be one of {Heap}, {Call}, {ByInvoker} PATTERN SECONDS, {ByName} PATTERN SECONDS, {Lookup} COUNT.");
        }
    }

    private static long LiveHeap()
    {
        // What a connection leaves behind on its way is let go of in several steps.
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
