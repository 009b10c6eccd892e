using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Liveness;

/// <summary>Nothing comes any more, and no end either.</summary>
public class VanishedPeerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20 + 10);

    [Fact]
    public async Task A_server_notices_a_client_that_has_vanished_though_a_call_of_its_own_is_open()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: options => options.Yamux.TimeProvider = time);
        var client = new SilentClient();
        await client.ConnectAsync(server);
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");
        var peer = Assert.Single(server.Registry.Peers);
        var call = new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync;

        await AdvanceAsync(time, peer.Completion);

        await CallsBothWays.AssertUnavailableAsync(call);
        await Guard.Until(() => (server.Registry.Count, server.ConnectionCount) == (0, 0), "the peer is forgotten");
        Assert.Equal(YamuxErrorCode.KeepAliveTimeout, (await Assert.ThrowsAsync<YamuxException>(() => peer.Completion.Guarded())).ErrorCode);
        client.Dispose();
    }

    [Fact]
    public async Task A_client_notices_a_server_that_has_vanished_with_calls_open_both_ways()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync();
        var link = new FrozenLink();
        await using var client = new TestClient(
            server, configure: handler => handler.ConnectCallback = link.ConnectAsync, options: options => options.Yamux.TimeProvider = time);
        var calls = await CallsBothWays.StartAsync(server, client);

        using var frozen = link.Freeze();
        await AdvanceAsync(time, calls.ToServer);

        await CallsBothWays.AssertUnavailableAsync(calls.ToServer);
        await Guard.Until(() => client.Host.ConnectionCount == 0, "the session ends");
        calls.Peer.Session.Abort();
        await CallsBothWays.AssertUnavailableAsync(calls.ToClient);
    }

    [Fact]
    public async Task A_server_that_takes_the_connection_and_stays_silent_is_unavailable_after_ConnectTimeout()
    {
        var time = new FakeTimeProvider();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), _ => { }, options => options.Yamux.TimeProvider = time);
        using var channel = GrpcChannel.ForAddress($"http://{listener.LocalEndPoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }.UseBackchannel(host),
            DisposeHttpClient = true,
        });

        var call = new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync;
        await Guard.Until(() => host.ConnectionCount == 1, "the server takes the connection");
        time.Advance(TimeSpan.FromSeconds(4.999));
        Assert.Equal(1, host.ConnectionCount);
        time.Advance(TimeSpan.FromSeconds(0.001));

        var failure = await Assert.ThrowsAsync<global::Grpc.Core.RpcException>(() => call.Guarded());
        Assert.Equal(
            (global::Grpc.Core.StatusCode.Unavailable, "The server took the connection and said nothing within 5 s (SocketsHttpHandler.ConnectTimeout)."), (failure.StatusCode, failure.Status.Detail));
        await Guard.Until(() => host.ConnectionCount == 0, "the connection is closed");
    }

    // The answer to a ping comes in its own time: it must not be late because the clock ran ahead of it. Where nobody answers, it may.
    private static Task AdvanceAsync(FakeTimeProvider time, Task until) => Guard.Until(() =>
    {
        time.Advance(Limit);
        return until.IsCompleted;
    }, "the silence is noticed");

    /// <summary>A client that becomes a peer, opens a call, and then is gone, while its socket is not.</summary>
    private sealed class SilentClient : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);

        public void Dispose() => _socket.Dispose();

        public async Task ConnectAsync(TestServer server)
        {
            await _socket.ConnectAsync(IPEndPoint.Parse(new Uri(server.Address).Authority));
            await _socket.SendAsync("backchannel"u8.ToArray());
            await _socket.SendAsync(new byte[] { 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0 }); // WindowUpdate | SYN of stream 1.
            await _socket.SendAsync(Data("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8));
        }

        private static byte[] Data(ReadOnlySpan<byte> payload) => [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, (byte)payload.Length, .. payload];
    }
}
