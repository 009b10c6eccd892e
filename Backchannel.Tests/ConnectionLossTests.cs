using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests;

public class ConnectionLossTests
{
    [Fact]
    public async Task When_the_connection_breaks_calls_in_flight_fail_with_Unavailable_at_both_ends()
    {
        await using var server = await TestServer.StartAsync();
        Socket? socket = null;
        await using var client = new TestClient(server, configure: handler => handler.ConnectCallback = async (context, cancellationToken) =>
        {
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        });
        var calls = await CallsBothWays.StartAsync(server, client);

        socket!.Close(0); // A reset, as of a process that was killed.

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await AssertNothingLeftAsync(server, client);
    }

    [Fact]
    public async Task When_the_host_is_disposed_calls_in_flight_fail_with_Unavailable_at_both_ends()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        await client.Host.DisposeAsync().Guarded();

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await AssertNothingLeftAsync(server, client);
    }

    [Fact]
    public async Task When_the_server_aborts_the_session_calls_in_flight_fail_with_Unavailable_at_both_ends()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var calls = await CallsBothWays.StartAsync(server, client);

        server.Registry.GetPeer(1).Session.Abort();

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
        await AssertNothingLeftAsync(server, client);
    }

    [Fact]
    public async Task A_peer_that_has_gone_is_unavailable_and_forgotten()
    {
        await using var server = await TestServer.StartAsync();
        var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = server.Registry.GetPeer(1);
        await client.DisposeAsync();
        await peer.Completion.Guarded();
        await Guard.Until(() => server.Registry.Count == 0, "the registry forgets the peer");

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded());
        var unknown = Assert.Throws<RpcException>(() => server.Registry.GetPeer(1));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("no backchannel for peer 1", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal((StatusCode.Unavailable, "no backchannel for peer 1"), (unknown.StatusCode, unknown.Status.Detail));
        Assert.False(server.Registry.TryGetPeer(1, out _));
    }

    [Fact]
    public async Task A_peer_is_forgotten_though_a_handler_of_its_connection_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var call = client.Tester.UnaryAsync(new Request { Stubborn = true }).ResponseAsync;
        await server.State.Hanging.Guarded();

        client.CloseChannel();

        await Guard.Until(() => server.Registry.Count == 0, "the registry forgets the peer");
        server.State.LetGo();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
    }

    [Fact]
    public async Task A_channel_connects_again_after_its_connection_broke_and_is_a_new_peer()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        for (var id = 1; id <= 3; id++)
        {
            var reply = await CallOnceConnectedAsync(client);
            Assert.Equal("client", reply.ServedBy);
            var peer = server.Registry.GetPeer(id);
            peer.Session.Abort();
            await peer.Completion.Guarded();
            await Guard.Until(() => client.Host.ConnectionCount == 0 && server.Registry.Count == 0, "both ends notice");
        }
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_idle_clients()
    {
        var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        await server.DisposeAsync();

        await Guard.Until(() => client.Host.ConnectionCount == 0, "the client notices");
        server.Log.AssertNoErrors();
        client.Log.AssertNoErrors();
        Assert.DoesNotContain(server.Log.Lines, line => line.Message.Contains("did not", StringComparison.Ordinal) && line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task A_thousand_connects_and_disconnects_leave_nothing_behind()
    {
        await using var server = await TestServer.StartAsync();
        await using var host = new TestClient(server);
        for (var batch = 0; batch < 100; batch++)
        {
            // One holds the connection that the others share until all have ended.
            using var held = host.NewChannel();
            await new Tester.TesterClient(held).UnaryAsync(new Request()).ResponseAsync.Guarded();
            await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
            {
                using var channel = host.NewChannel();
                var reply = await new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
                Assert.Equal("client", reply.ServedBy);
            }));
            held.Dispose();
            await Guard.Until(() => host.Host.ConnectionCount == 0, "the connection ends with the last of them");
        }

        var sessions = server.State.Peers.Select(peer => peer.Session).ToList();
        await Task.WhenAll(sessions.Select(session => session.Completion)).Guarded();
        await AssertNothingLeftAsync(server, host);
        Assert.Equal((1100, 100), (sessions.Count, sessions.Distinct().Count()));
        Assert.All(sessions, session => Assert.Equal(0, session.StreamCount));
        server.Log.AssertNoErrors();
        host.Log.AssertNoErrors();
    }

    // The HTTP client notices the loss in its own time; a call that it sends until then is lost with the connection.
    private static async Task<Reply> CallOnceConnectedAsync(TestClient client)
    {
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
                return false;
            }
        }, "a call goes through");
        return reply!;
    }

    private static async Task AssertNothingLeftAsync(TestServer server, TestClient client)
    {
        await Guard.Until(() => server.Registry.Count == 0, "the registry forgets the peers");
        await Guard.Until(() => client.Host.ConnectionCount == 0, "the client's sessions end");
        await Guard.Until(() => server.ConnectionCount == 0, "the server's connections end");
    }
}
