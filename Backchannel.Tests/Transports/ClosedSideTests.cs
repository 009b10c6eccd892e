using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Transports;

/// <summary>A peer that has closed its side, and of which nobody knows whether it still reads.</summary>
public sealed class ClosedSideTests
{
    private static readonly byte[] GoAway = [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _fromPeer = new();
    private readonly Pipe _toPeer = new();

    [Fact]
    public async Task Its_socket_is_closed_ConnectionWriteTimeout_after_the_session_has_ended()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var theirs = new TcpClient();
        await theirs.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var ours = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await using var connection = NewConnection();
        connection.Features.Set<IConnectionSocketFeature>(new SocketFeature(ours));

        await EndSessionAsync(connection);

        _time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        Assert.True(ours.Connected);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await theirs.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().Guarded());
    }

    [Fact]
    public async Task A_connection_without_a_socket_is_left_to_its_server_which_may_have_released_it()
    {
        var connection = NewConnection();
        await EndSessionAsync(connection);
        var closed = connection.ConnectionClosed;
        await connection.DisposeAsync();

        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.False(closed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_session_on_one_stream_does_not_close_the_connection_of_all_others()
    {
        var token = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var theirs = new TcpClient();
        await theirs.ConnectAsync((IPEndPoint)listener.LocalEndpoint, token);
        using var ours = await listener.AcceptSocketAsync(token);
        await using var outer = new DefaultConnectionContext("outer");
        outer.Features.Set<IConnectionSocketFeature>(new SocketFeature(ours));
        await using var server = YamuxSession.Create(new NetworkStream(ours), YamuxRole.Server, new YamuxOptions { EnableKeepAlive = false });
        await using var client = YamuxSession.Create(theirs.GetStream(), YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false });

        var sent = await client.OpenStreamAsync(token);
        await sent.WriteAsync(GoAway, completeWrites: true, token);
        var stream = await server.AcceptStreamAsync(token);
        var inner = new YamuxStreamConnectionContext(stream!, outer).CreateYamuxSession(YamuxRole.Server, new YamuxOptions { TimeProvider = _time, EnableKeepAlive = false });
        await inner.Completion.Guarded();
        _time.Advance(TimeSpan.FromSeconds(10));

        await client.PingAsync(token);
    }

    private DefaultConnectionContext NewConnection()
        => new("closed side", new DuplexPipe(_fromPeer.Reader, _toPeer.Writer), new DuplexPipe(_toPeer.Reader, _fromPeer.Writer));

    private async Task EndSessionAsync(ConnectionContext connection)
    {
        var session = connection.CreateYamuxSession(YamuxRole.Server, new YamuxOptions { TimeProvider = _time, EnableKeepAlive = false });
        await _fromPeer.Writer.WriteAsync(GoAway, TestContext.Current.CancellationToken);
        await _fromPeer.Writer.CompleteAsync();
        await session.Completion.Guarded();
    }

    private sealed record SocketFeature(Socket Socket) : IConnectionSocketFeature;
}
