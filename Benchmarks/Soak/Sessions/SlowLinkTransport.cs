using System.Net;
using System.Net.Sockets;
using Benchmarks.Shaping;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Benchmarks.Soak.Sessions;

/// <summary>Sockets with a link between them that is slow and moves: nothing may take it for dead.</summary>
internal sealed class SlowLinkTransport : ITransport
{
    // Slow enough for a write of the engine's full size to wait longer than it likes.
    private static readonly LinkShape Shape = new(256 * 1024, TimeSpan.FromMilliseconds(10));

    private readonly Socket _listener = LoopbackTransport.Listen();
    private readonly SemaphoreSlim _one = new(1);
    private readonly ShapedLink _link;

    public SlowLinkTransport() => _link = new ShapedLink((IPEndPoint)_listener.LocalEndPoint!, Shape);

    public int MaxStreams => 8;

    // The link is a thread of this process: where all processors are busy it stands still, which no end can tell from silence.
    public TimeSpan LeastPatience => new YamuxOptions().ConnectionWriteTimeout;

    public int Sockets => 4;

    // One at a time, so that the socket that is accepted is the one that was connected.
    public async Task<ConnectedSession> ConnectAsync(YamuxOptions clientOptions, YamuxOptions serverOptions, ILogger logger, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var client = LoopbackTransport.NewSocket();
            await client.ConnectAsync(_link.Address, cancellationToken);
            var server = await _listener.AcceptAsync(cancellationToken);
            return new(
                LoopbackTransport.NewSession(client, YamuxRole.Client, clientOptions, logger),
                LoopbackTransport.NewSession(server, YamuxRole.Server, serverOptions, logger),
                client);
        }
        finally
        {
            _one.Release();
        }
    }

    public ValueTask DisposeAsync()
    {
        _link.Dispose();
        _listener.Dispose();
        _one.Dispose();
        return ValueTask.CompletedTask;
    }
}
