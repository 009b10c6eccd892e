using System.Net;
using System.Net.Sockets;

namespace Yamux.Tests.Kit;

/// <summary>Two real sockets on this machine that are connected with each other.</summary>
public static class Loopback
{
    public static async Task<(NetworkStream First, NetworkStream Second)> ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var connect = first.ConnectAsync(listener.LocalEndPoint!);
        var second = await listener.AcceptAsync().Guarded();
        second.NoDelay = true;
        await connect.Guarded();
        return (new NetworkStream(first, ownsSocket: true), new NetworkStream(second, ownsSocket: true));
    }
}
