using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests;

public class ClientConfigurationTests
{
    [Fact]
    public async Task A_handler_takes_one_backchannel()
    {
        await using var host = NewHost();
        var handler = new SocketsHttpHandler();
        using var channels = handler.UseBackchannel(host);

        var error = Assert.Throws<InvalidOperationException>(() => handler.UseBackchannel(host));

        Assert.Equal(
            "The handler has a backchannel already: call UseBackchannel once, and give what it returns to as many channels as you like.", error.Message);
    }

    [Fact]
    public async Task A_handler_that_was_used_is_refused_with_what_to_do()
    {
        await using var server = await TestServer.StartAsync();
        await using var host = NewHost();
        using var handler = new SocketsHttpHandler();
        using var http = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken).Guarded();

        var error = Assert.Throws<InvalidOperationException>(() => handler.UseBackchannel(host));

        Assert.Equal("The handler was used already: call UseBackchannel before its first request, or take a new handler.", error.Message);
    }

    [Fact]
    public async Task Settings_that_would_close_an_idle_connection_are_changed_unless_they_were_set()
    {
        await using var host = NewHost();
        using var untouched = new SocketsHttpHandler();
        using var chosen = new SocketsHttpHandler
        {
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(7),
            KeepAlivePingDelay = TimeSpan.FromSeconds(3),
            ConnectTimeout = TimeSpan.FromSeconds(5),
        };
        untouched.UseBackchannel(host);
        chosen.UseBackchannel(host);

        Assert.Equal((Timeout.InfiniteTimeSpan, TimeSpan.FromSeconds(20)), (untouched.PooledConnectionIdleTimeout, untouched.KeepAlivePingDelay));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5)), (untouched.ConnectTimeout, chosen.ConnectTimeout));
        Assert.Equal((TimeSpan.FromMinutes(7), TimeSpan.FromSeconds(3)), (chosen.PooledConnectionIdleTimeout, chosen.KeepAlivePingDelay));
    }

    [Fact]
    public async Task A_server_that_does_not_know_the_backchannel_is_named_as_the_cause()
    {
        await using var server = await TestServer.StartAsync(listen => listen.Protocols = HttpProtocols.Http2);
        await using var client = new TestClient(server);

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.True(error.Status.Detail.Contains("its endpoint must call listen.UseBackchannel()", StringComparison.Ordinal), error.ToString());
        await Guard.Until(() => server.ConnectionCount == 0 && client.Host.ConnectionCount == 0, "both ends close the connection");
    }

    [Fact]
    public async Task A_filter_that_the_handler_has_runs_first()
    {
        var filtered = 0;
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, configure: handler => handler.PlaintextStreamFilter = (context, _) =>
        {
            filtered++;
            return ValueTask.FromResult(context.PlaintextStream);
        });

        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal(1, filtered);
    }

    [Fact]
    public async Task A_request_of_HTTP1_that_comes_past_the_returned_handler_fails_and_leaves_no_connection()
    {
        await using var server = await TestServer.StartAsync();
        await using var host = NewHost();
        using var handler = new SocketsHttpHandler();
        handler.UseBackchannel(host);
        using var http = new HttpClient(handler);

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(server.Address).Guarded());

        Assert.Contains("A backchannel needs HTTP/2, and this connection speaks HTTP/1.1", failure.ToString(), StringComparison.Ordinal);
        await Guard.Until(() => server.ConnectionCount == 0, "the connection is closed");
    }

    [Fact]
    public void Options_out_of_range_are_refused_at_creation()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => BackchannelHost.Create(_ => { }, _ => { }, options => options.Yamux.AcceptBacklog = 0));

        var drain = Assert.Throws<ArgumentOutOfRangeException>(() => BackchannelHost.Create(_ => { }, _ => { }, options => options.DrainTimeout = TimeSpan.Zero));

        Assert.Contains("AcceptBacklog is 0; it must be 1 to", error.Message, StringComparison.Ordinal);
        Assert.Contains("DrainTimeout is 00:00:00; it must be more than 0", drain.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_was_disposed_refuses_connections_and_can_be_disposed_again()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Host.DisposeAsync().Guarded();
        await client.Host.DisposeAsync().Guarded();

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Contains(nameof(ObjectDisposedException), error.ToString(), StringComparison.Ordinal);
        await Guard.Until(() => server.ConnectionCount == 0, "the connection is closed");
    }

    [Fact]
    public async Task A_multiplexed_connection_that_opens_no_stream_is_closed_at_the_timeout()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(TestServer.Cleartext, options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
        });
        using var socket = await ConnectAsync(server);
        var stream = new NetworkStream(socket);
        await stream.WriteAsync("backchannel"u8.ToArray());
        await using var session = YamuxSession.Create(stream, YamuxRole.Client);
        await session.PingAsync().Guarded();

        time.Advance(TimeSpan.FromSeconds(120));

        await session.Completion.Guarded();
        await Guard.Until(() => server.ConnectionCount == 0, "the server closes it");
        Assert.Equal(0, server.Registry.Count);
    }

    [Fact]
    public async Task A_multiplexed_connection_that_opens_no_stream_does_not_hold_up_a_stop()
    {
        await using var server = await TestServer.StartAsync();
        using var socket = await ConnectAsync(server);
        var stream = new NetworkStream(socket);
        await stream.WriteAsync("backchannel"u8.ToArray());
        await using var session = YamuxSession.Create(stream, YamuxRole.Client);
        await session.PingAsync().Guarded();

        await server.StopAsync().Guarded();

        await session.Completion.Guarded();
    }

    [Fact]
    public async Task A_connection_that_does_not_say_what_it_is_has_the_time_of_the_options()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(TestServer.Cleartext, options =>
        {
            options.Yamux.TimeProvider = time;
            options.HandshakeTimeout = TimeSpan.FromSeconds(7);
        });
        using var socket = await ConnectAsync(server);
        await socket.SendAsync("b"u8.ToArray());
        await Guard.Until(() => server.ConnectionCount == 1, "the server has it");

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(7)); // It may not have begun to wait yet.
            return server.ConnectionCount == 0;
        }, "it is closed");

        Assert.Contains(server.Log.Lines, line => line.Event.Name == "HandshakeTimedOut" && line.Message.Contains("00:00:07", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_peer_that_breaks_yamux_loses_its_own_connection_alone()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
        using var socket = await ConnectAsync(server);
        await socket.SendAsync("backchannelPRI * HTTP/2.0"u8.ToArray());

        var answer = new byte[12];
        await new NetworkStream(socket).ReadExactlyAsync(answer).Guarded();

        Assert.Equal([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], answer); // GoAway: protocol error.
        Assert.Equal("client", (await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        server.Log.AssertNoErrors();
    }

    private static BackchannelHost NewHost() => BackchannelHost.Create(services => services.AddGrpc(), _ => { });

    private static async Task<Socket> ConnectAsync(TestServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(new Uri(server.Address).Authority));
        return socket;
    }
}
