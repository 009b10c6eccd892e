using System.Collections.Concurrent;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace Backchannel.Tests.Liveness;

/// <summary>
/// Kestrel counts time on the heartbeat of a connection: KeepAliveTimeout and the minimum data rates, none of which can be told where many streams share a
/// connection. These tests own the heart, and let it beat when they like.
/// </summary>
public class KestrelTimeoutTests
{
    [Fact]
    public async Task No_heartbeat_of_Kestrels_reaches_what_is_inside_a_multiplexed_connection()
    {
        var hearts = new ConcurrentDictionary<string, Heart>();
        await using var server = await TestServer.StartAsync(listen => Observe(listen, hearts));
        await using var plain = new TestClient(server, plain: true);
        await plain.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        Assert.Equal(1, Assert.Single(hearts.Values).Listeners); // That is how Kestrel listens to it.
        await using var client = new TestClient(server);
        using var further = client.NewChannel();

        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
        await new Tester.TesterClient(further).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal(1, hearts.Values.Sum(heart => heart.Listeners));
    }

    [Fact]
    public async Task The_inner_server_of_a_client_asks_for_no_data_rate_and_does_not_close_what_is_idle()
    {
        KestrelServerLimits? limits = null;
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, options: options => options.ConfigureLimits = inner => limits = inner);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Null(limits!.MinRequestBodyDataRate);
        Assert.Null(limits.MinResponseDataRate);

        // Kestrel counts on a clock of its own. TimeSpan.MaxValue, which is what it makes of InfiniteTimeSpan, overflows there.
        Assert.InRange(limits.KeepAliveTimeout, TimeSpan.FromDays(365), TimeSpan.FromDays(36500));
    }

    [Fact]
    public async Task HTTP2_pings_go_out_and_never_end_a_connection()
    {
        await using var host = BackchannelHost.Create(_ => { }, _ => { });
        using var untouched = new SocketsHttpHandler();
        using var chosen = new SocketsHttpHandler { KeepAlivePingTimeout = TimeSpan.FromSeconds(3) };
        untouched.UseBackchannel(host);
        chosen.UseBackchannel(host);

        Assert.Equal(TimeSpan.FromSeconds(20), untouched.KeepAlivePingDelay);
        Assert.InRange(untouched.KeepAlivePingTimeout, TimeSpan.FromDays(1), TimeSpan.FromMilliseconds(int.MaxValue));
        Assert.Equal(TimeSpan.FromSeconds(3), chosen.KeepAlivePingTimeout);
    }

    private static void Observe(ListenOptions listen, ConcurrentDictionary<string, Heart> hearts)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(next => connection =>
        {
            var heart = hearts[connection.ConnectionId] = new Heart();
            connection.Features.Set<IConnectionHeartbeatFeature>(heart);
            return next(connection);
        });
        listen.UseBackchannel();
    }

    private sealed class Heart : IConnectionHeartbeatFeature
    {
        private int _listeners;

        public int Listeners => Volatile.Read(ref _listeners);

        public void OnHeartbeat(Action<object> action, object state) => Interlocked.Increment(ref _listeners);
    }
}
