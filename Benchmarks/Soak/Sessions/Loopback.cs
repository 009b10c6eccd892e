using System.Net;
using System.Net.Sockets;

namespace Benchmarks.Soak.Sessions;

/// <summary>Two sockets of this machine that are connected with each other.</summary>
internal static class Loopback
{
    public static async Task<(Socket First, Socket Second)> ConnectAsync(CancellationToken cancellationToken)
    {
        using var listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var first = NewSocket();
        await first.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
        var second = await listener.AcceptAsync(cancellationToken);
        (first.NoDelay, second.NoDelay) = (true, true);
        return (first, second);
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
