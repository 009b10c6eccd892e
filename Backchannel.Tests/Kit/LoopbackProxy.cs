using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Backchannel.Tests.Kit;

/// <summary>A proxy on loopback: how a client asks it for a tunnel is for the kinds of proxies to know.</summary>
internal abstract class LoopbackProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _serving = new();
    private CancellationTokenSource _cutting = new();
    private Task _accepting = Task.CompletedTask;
    private int _connections;
    private int _tunnels;

    /// <summary>How many connections came, with or without a tunnel.</summary>
    public int ConnectionCount => Volatile.Read(ref _connections);

    /// <summary>How many of them are open.</summary>
    public int OpenCount => _serving.Keys.Count(serving => !serving.IsCompleted);

    /// <summary>How many tunnels were opened.</summary>
    public int TunnelCount => Volatile.Read(ref _tunnels);

    /// <summary>The port on loopback to which every tunnel goes, whatever the client asks for; 0 for what it asks for.</summary>
    public int Target { get; init; }

    protected string Authority => _listener.LocalEndpoint.ToString()!;

    /// <summary>Closes every tunnel there is, without a word, as a firewall does that restarts.</summary>
    public void CutTunnels()
    {
        using var cutting = Interlocked.Exchange(ref _cutting, new CancellationTokenSource());
        cutting.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting.Guarded();
        await Task.WhenAll(_serving.Keys).Guarded();
        _stopping.Dispose();
        _cutting.Dispose();
    }

    /// <summary>Serves a connection until it is closed.</summary>
    protected abstract Task ServeAsync(Stream client, CancellationToken cancellationToken);

    protected void Start()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Connects to the target, tells the client, and passes bytes both ways until both ends have closed.</summary>
    protected async Task TunnelAsync(Stream client, string host, int port, byte[] opened, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await (Target == 0
            ? socket.ConnectAsync(host, port, cancellationToken)
            : socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Target), cancellationToken));
        Interlocked.Increment(ref _tunnels);
        await client.WriteAsync(opened, cancellationToken);
        await using var server = new NetworkStream(socket);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cutting.Token);
        var there = client.CopyToAsync(server, ended.Token);
        var back = server.CopyToAsync(client, ended.Token);
        await Task.WhenAny(there, back);
        await ended.CancelAsync(); // HTTP/2 has no use for one direction alone.
        await Task.WhenAll(there, back);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stopping.Token);
                Interlocked.Increment(ref _connections);
                var serving = ServeAsync(socket);
                _serving.TryAdd(serving, true);
            }
        }
        catch (Exception end) when (_stopping.IsCancellationRequested && end is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        socket.NoDelay = true;
        try
        {
            await using var client = new NetworkStream(socket, ownsSocket: true);
            await ServeAsync(client, _stopping.Token);
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // One end has gone, and the other goes with it.
        }
    }
}
