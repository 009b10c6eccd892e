using System.Net;
using System.Net.Sockets;

namespace Backchannel.Tests.Kit;

/// <summary>A TCP balancer: each connection goes to the next target that takes it, and bytes and ends of both directions are passed on.</summary>
internal sealed class TestBalancer : LoopbackProxy
{
    private IPEndPoint[] _targets = [];
    private int _turn;

    public TestBalancer() => Start();

    public string Address => $"http://{Authority}";

    /// <summary>Where connections go from now on; those that there are stay.</summary>
    public void SetTargets(params IEnumerable<string> addresses)
        => Volatile.Write(ref _targets, [.. addresses.Select(address => IPEndPoint.Parse(new Uri(address).Authority))]);

    protected override async Task ServeAsync(Stream client, CancellationToken cancellationToken)
    {
        using var server = await ConnectAsync(cancellationToken);
        if (server is null)
        {
            return; // As one does that has no healthy target.
        }

        await using var there = new NetworkStream(server);
        await Task.WhenAll(PassAsync((NetworkStream)client, there, cancellationToken), PassAsync(there, (NetworkStream)client, cancellationToken));
    }

    private async Task<Socket?> ConnectAsync(CancellationToken cancellationToken)
    {
        var targets = Volatile.Read(ref _targets);
        var turn = (uint)Interlocked.Increment(ref _turn);
        for (var i = 0; i < targets.Length; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(targets[(int)((turn + (uint)i) % targets.Length)], cancellationToken);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
        }

        return null;
    }

    // The end of one direction is not that of the other; a connection that breaks breaks both.
    private static async Task PassAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken);
            to.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            from.Socket.Close(0);
            to.Socket.Close(0);
        }
    }
}
