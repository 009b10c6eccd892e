using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Draining;

public class ServerDrainTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_stops_lets_the_calls_of_both_directions_finish_and_no_other_begin(bool clientsFirst)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        var stopping = server.StopAsync();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        await CallsBothWays.AssertUnavailableAsync(calls.CallClientAsync(), "no backchannel for peer 1: the server closes the connection");
        await (clientsFirst ? calls.EndToServerAsync() : calls.EndToClientAsync());
        Assert.False(stopping.IsCompleted);
        await (clientsFirst ? calls.EndToClientAsync() : calls.EndToServerAsync());

        await stopping.Guarded();
        await calls.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_single_connection_that_is_asked_to_close_does_the_same()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        Assert.Single(server.Connections).Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        await CallsBothWays.AssertUnavailableAsync(calls.CallClientAsync(), "the server closes the connection");
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();

        await calls.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_client_that_calls_again_while_its_connection_drains_takes_another()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        Assert.Single(server.Connections).Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        Reply? reply = null;
        await Guard.Until(async () =>
        {
            try
            {
                reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
                return true;
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
            {
                return false; // Over the old one, whose end the client has not heard of.
            }
        }, "the client has another connection");

        Assert.Equal("client", reply!.ServedBy);
        Assert.Equal(2, Assert.Single(server.Registry.Peers).Id);
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();
        await calls.Peer.Completion.Guarded();
        await Guard.Until(() => (server.ConnectionCount, client.Host.ConnectionCount) == (1, 1), "the old one ends");
    }

    [Fact]
    public async Task A_further_HTTP2_connection_that_comes_when_its_session_is_about_to_close_goes_elsewhere()
    {
        var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(options: options => options.ConfigureStreams = streams => streams.Use(next => async connection =>
        {
            came.SetResult();
            await goOn.Task;
            await next(connection);
        }));
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);
        using var channel = client.NewChannel();
        var call = new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync;
        await came.Task.Guarded();

        // The channel's own connection was closed again, or is about to be.
        var connection = Assert.Single(server.Connections, connection => connection.Features.Get<IBackchannelPeerFeature>() is not null);
        connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
        goOn.SetResult();

        Assert.Equal("client", (await call.Guarded()).ServedBy);
        Assert.Equal(2, Assert.Single(server.Registry.Peers).Id);
        await calls.EndToServerAsync();
        await calls.EndToClientAsync();
        await calls.Peer.Completion.Guarded();
    }

    [Fact]
    public async Task Streams_that_run_when_the_server_stops_run_to_their_ends()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.Registry.Peers);
        using var down = client.Tester.Duplex(cancellationToken: TestContext.Current.CancellationToken);
        using var up = new Tester.TesterClient(peer.Invoker).Duplex(cancellationToken: TestContext.Current.CancellationToken);
        await EchoAsync(down);
        await EchoAsync(up);

        var stopping = server.StopAsync();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        for (var i = 0; i < 10; i++)
        {
            await EchoAsync(down);
            await EchoAsync(up);
        }

        await EndAsync(down);
        await EndAsync(up);
        await stopping.Guarded();
        server.Log.AssertNoErrors();
        client.Log.AssertNoErrors();
    }

    [Fact]
    public async Task When_the_servers_time_is_over_what_still_runs_is_aborted()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);
        using var over = new CancellationTokenSource();

        var stopping = server.StopAsync(over.Token);
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");
        await over.CancelAsync();

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await stopping.Guarded();
        await Guard.Until(() => client.Host.ConnectionCount == 0, "the client's session ends");
    }

    [Fact]
    public async Task A_call_that_begins_after_the_drain_is_refused_though_a_connection_to_the_peer_is_open()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        Assert.True(calls.Peer.Drain("the test drains it"));

        await CallsBothWays.AssertUnavailableAsync(calls.CallClientAsync(), "no backchannel for peer 1: the test drains it");
        await calls.EndToClientAsync();
        await calls.EndToServerAsync();
    }

    [Fact]
    public async Task A_stop_has_the_hosts_time_and_no_other()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
            options.Yamux.ConnectionWriteTimeout = Timeout.InfiniteTimeSpan; // The clock runs far ahead of the session.
        });
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);
        var stopping = server.StopAsync();
        await calls.EndToServerAsync();
        await Guard.Until(() => server.Registry.Count == 0, "the connection drains");
        await Guard.Until(() => calls.Peer.Session.StreamCount == 1, "the client's own HTTP/2 connection has ended"); // Before a clock jumps that bounds how long that may take.

        for (var i = 0; i < 100; i++)
        {
            time.Advance(Guard.BeyondLimit);
            await calls.Peer.Session.PingAsync(TestContext.Current.CancellationToken).Guarded();
        }

        await calls.EndToClientAsync();
        await stopping.Guarded();
    }

    [Fact]
    public async Task The_peer_that_goes_is_the_one_that_is_forgotten()
    {
        await using var server = await TestServer.StartAsync();
        await using var first = new TestClient(server, "first");
        await using var second = new TestClient(server, "second");
        await first.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        await second.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        second.CloseChannel();
        await Guard.Until(() => server.Registry.Count == 1, "the second has gone");

        var left = Assert.Single(server.Registry.Peers);
        Assert.Equal(1, left.Id);
        Assert.Equal("first", (await new Tester.TesterClient(left.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_a_client_that_it_never_called()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.Registry.Peers);

        Assert.True(peer.Drain("test"));

        Assert.True(peer.Drained.IsCompleted);
        Assert.False(peer.Drain("again"));
        await server.StopAsync().Guarded();
    }

    private static async Task EchoAsync(AsyncDuplexStreamingCall<Request, Reply> call)
    {
        await call.RequestStream.WriteAsync(new Request(), TestContext.Current.CancellationToken).Guarded();
        Assert.True(await call.ResponseStream.MoveNext().Guarded());
    }

    private static async Task EndAsync(AsyncDuplexStreamingCall<Request, Reply> call)
    {
        await call.RequestStream.CompleteAsync().Guarded();
        Assert.False(await call.ResponseStream.MoveNext().Guarded());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }
}
