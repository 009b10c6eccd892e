using System.Net;
using System.Net.Sockets;
using Yamux;

namespace Backchannel.Tests.Kit;

/// <summary>
/// A server that, like Gitaly's, accepts one stream of each connection's and no other. What is spoken there it does not know; it keeps the streams open.
/// </summary>
internal sealed class OneStreamServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<YamuxSession> _sessions = [];
    private readonly bool _endsStream;
    private readonly Task _accepting;

    /// <param name="endsStream">Whether it ends the stream at once, in good order.</param>
    public OneStreamServer(bool endsStream = false)
    {
        _endsStream = endsStream;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public string Address => $"http://{_listener.LocalEndPoint}";

    /// <summary>The sessions of those that opened a stream.</summary>
    public IReadOnlyList<YamuxSession> Sessions
    {
        get
        {
            lock (_sessions)
            {
                return [.. _sessions];
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        foreach (var session in Sessions)
        {
            session.Abort();
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await stream.ReadExactlyAsync(new byte["backchannel".Length], _stop.Token);
            var session = YamuxSession.Create(stream, YamuxRole.Server, new YamuxOptions { EnableKeepAlive = false });
            var accepted = await session.AcceptStreamAsync(_stop.Token);
            if (_endsStream)
            {
                await accepted!.Output.CompleteAsync();
            }

            lock (_sessions)
            {
                _sessions.Add(session);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or EndOfStreamException)
        {
            await stream.DisposeAsync(); // It was connected to, and not used.
        }
    }
}
