using System.Net;
using System.Net.Sockets;

namespace Benchmarks.Shaping;

/// <summary>
/// A link in front of a server: connections to it are passed on, with the rate and the delay of a network. The two
/// directions are independent. It takes from a sender at the rate of the link only, so TCP itself needs no large window.
/// </summary>
internal sealed class ShapedLink : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Lock _lock = new();
    private readonly List<Socket> _sockets = [];
    private readonly IPEndPoint _server;
    private readonly LinkShape _shape;

    public ShapedLink(IPEndPoint server, LinkShape shape)
    {
        (_server, _shape) = (server, shape);
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
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (_lock)
                {
                    _sockets.AddRange([client, server]);
                }

                server.Connect(_server);
                (client.NoDelay, server.NoDelay) = (true, true);
                new DelayLine(client, server, _shape).Start();
                new DelayLine(server, client, _shape).Start();
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It was disposed of, or the server has gone, which the client's measurement will show.
        }
    }
}
