using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Conformance.Running;
using Yamux;

namespace Conformance.CommandLine;

/// <summary>The command <c>echo</c>.</summary>
internal static class EchoCommand
{
    public static Command Create()
    {
        var listen = ParsedOption.Address("--listen", "Serves whoever connects there. Port 0 takes a free one.");
        var connect = ParsedOption.Address("--connect", "Dials 'run --listen', and again whenever a connection has ended, until nobody listens there.");
        var role = ParsedOption.Word<PlayedRole>("--role", "ROLE", "Which end it plays, client or server. Default: server with --listen, client with --connect.");
        var command = new Command("echo", "Is a target: the Yamux library with its default options, echoing every stream until the peer's FIN.") { listen, connect, role };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if ((parsed.GetValue(connect) is null) == (parsed.GetValue(listen) is null))
            {
                throw new UsageException("echo: give either --listen HOST:PORT or --connect HOST:PORT. See echo --help.");
            }

            var asClient = parsed.GetValue(role) is { } played ? played == PlayedRole.Client : parsed.GetValue(connect) is not null;
            var target = new EchoTarget(asClient ? YamuxRole.Client : YamuxRole.Server);
            try
            {
                await (parsed.GetValue(listen) is { } address ? ListenAsync(target, address, cancellationToken) : DialAsync(target, parsed.GetValue(connect)!, cancellationToken));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Ctrl-C is how one stops it.
            }

            return 0;
        });
        return command;
    }

    private static async Task ListenAsync(EchoTarget target, DnsEndPoint address, CancellationToken cancellationToken)
    {
        using var listener = await ListenedTarget.ListenAsync(address, Timeout.InfiniteTimeSpan, cancellationToken);
        Console.WriteLine($"listening on {listener.EndPoint}");
        var connections = new HashSet<Task>();
        try
        {
            while (true)
            {
                connections.Add(target.ServeAsync(await listener.ConnectAsync(cancellationToken), cancellationToken));
                connections.RemoveWhere(connection => connection.IsCompletedSuccessfully);
            }
        }
        finally
        {
            await Task.WhenAll(connections);
        }
    }

    // The tester may start later than we. Once it has been there and is gone, it does not come back.
    private static async Task DialAsync(EchoTarget target, DnsEndPoint address, CancellationToken cancellationToken)
    {
        using var dialler = new DialledTarget(address, TimeSpan.FromSeconds(5));
        var served = 0;
        for (var attemptsLeft = 30; ;)
        {
            Socket socket;
            try
            {
                socket = await dialler.ConnectAsync(cancellationToken);
            }
            catch (TargetUnreachableException) when (served > 0)
            {
                Console.WriteLine($"nobody listens on {address.Host}:{address.Port} any more; {served} connections were served");
                return;
            }
            catch (TargetUnreachableException) when (--attemptsLeft > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                continue;
            }

            await target.ServeAsync(socket, cancellationToken);
            served++;
        }
    }
}
