using System.CommandLine;
using System.Net;

namespace LogTail.CommandLine;

/// <summary>What runs without a command: a server and an agent in one process, over loopback.</summary>
internal static class DemoCommand
{
    public static RootCommand Create()
    {
        var size = SizeOption.Create();
        var command = new RootCommand(
            "A server asks an agent that has connected to it for its log, and receives it through a sidechannel, while small calls to the same agent go on. Without a command: both in one process.")
        {
            size,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(SizeOption.Bytes(parsed.GetValue(size)), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(long bytes, CancellationToken cancellationToken)
    {
        using var log = await DemoLog.CreateAsync(bytes, cancellationToken);
        await using var server = await LogServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), DemoLog.FileName);
        await using var agent = new LogAgent(LogServer.GetEndPoint(server), log.Folder);
        await agent.RunAsync("agent", cancellationToken);
        return 0;
    }
}
