using System.Net;
using System.Net.Sockets;

namespace Benchmarks.Shaping;

/// <summary>
/// A link in front of a server: connections to it are passed on, with the rate and the delay of a network. The two
/// directions are independent. It takes from a sender at the rate of the link only, so TCP itself needs no large window.
/// </summary>
internal sealed class ShapedLink : IDisposable
{
    private const int EthernetSegment = 1400;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly IPEndPoint _server;
    private readonly LinkShape _shape;
    private bool _disposed;

    public ShapedLink(IPEndPoint server, LinkShape shape)
    {
        (_server, _shape) = (server, shape);
        Prepare(_listener);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        new Thread(Accept) { IsBackground = true, Name = "link, accepting" }.Start();
    }

    /// <summary>Where clients connect to.</summary>
    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose()
    {
        _listener.Dispose();
        lock (_lock)
        {
            _disposed = true;
            foreach (var socket in _sockets)
            {
                socket.Dispose();
            }

            _sockets.Clear();
        }
    }

    // Before it connects or listens: a buffer of less than one of loopback's segments, 64 KiB, takes nothing but fragments.
    private void Prepare(Socket socket)
    {
        if (_shape.ReceiveBuffer is not { } size)
        {
            return;
        }

        socket.ReceiveBufferSize = size;
        if (OperatingSystem.IsLinux())
        {
            const int Tcp = 6;
            const int MaxSegment = 2;
            socket.SetRawSocketOption(Tcp, MaxSegment, BitConverter.GetBytes(EthernetSegment));
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                PassOn(_listener.Accept());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It was disposed of.
        }
    }

    private void PassOn(Socket client)
    {
        var server = new Socket(_server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Prepare(server);
            server.Connect(_server);
            (client.NoDelay, server.NoDelay) = (true, true);
        }
        catch (SocketException)
        {
            // The server has gone, of which the client learns by the end of its connection.
            client.Dispose();
            server.Dispose();
            return;
        }

        lock (_lock)
        {
            if (_disposed)
            {
                client.Dispose();
                server.Dispose();
                return;
            }

            _sockets.UnionWith([client, server]);
        }

        var directions = 2;
        new DelayLine(client, server, _shape, OnEnded).Start();
        new DelayLine(server, client, _shape, OnEnded).Start();

        void OnEnded()
        {
            if (Interlocked.Decrement(ref directions) == 0)
            {
                client.Dispose();
                server.Dispose();
                lock (_lock)
                {
                    _sockets.ExceptWith([client, server]);
                }
            }
        }
    }
}
