using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>Two sockets of this machine that are connected with each other.</summary>
internal sealed class LoopbackTransport : ITransport
{
    public int MaxStreams => int.MaxValue;

    public TimeSpan LeastPatience => SessionPair.LittlePatience;

    public int Sockets => 2;

    public static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public static Socket Listen()
    {
        var listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    public static YamuxSession NewSession(Socket socket, YamuxRole role, YamuxOptions options, ILogger logger)
    {
        socket.NoDelay = true;
        return YamuxSession.Create(new NetworkStream(socket, ownsSocket: true), role, options, logger);
    }

    public async Task<ConnectedSession> ConnectAsync(YamuxOptions clientOptions, YamuxOptions serverOptions, ILogger logger, CancellationToken cancellationToken)
    {
        using var listener = Listen();
        var client = NewSocket();
        await client.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
        var server = await listener.AcceptAsync(cancellationToken);
        return new(NewSession(client, YamuxRole.Client, clientOptions, logger), NewSession(server, YamuxRole.Server, serverOptions, logger), client);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
