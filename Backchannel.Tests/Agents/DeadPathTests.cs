using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Agents;

/// <summary>A path on which nothing comes any more, and no end either, is noticed from both ends, as soon as their options say.</summary>
public class DeadPathTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_agent_notices_it_and_says_that_it_reconnects()
    {
        var time = new FakeTimeProvider();
        var link = new FrozenLink();
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await TestAgent.AttachAsync(server, time: time, options: options =>
        {
            (options.KeepAliveInterval, options.KeepAliveTimeout) = (Second, Second);
            options.ConfigureHandler = handler => handler.ConnectCallback = link.ConnectAsync;
        });

        using var frozen = link.Freeze();
        await AdvanceUntil(time, () => agent.Connection.LastFailure is not null, "the agent has noticed");

        Assert.Equal(BackchannelConnectionState.Reconnecting, agent.Connection.State);
        Assert.All(server.Registry.Peers, peer => peer.Session.Abort()); // It has not noticed, and would wait.
    }

    [Fact]
    public async Task A_server_notices_it_and_the_name_is_free()
    {
        var time = new FakeTimeProvider();
        var link = new FrozenLink();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.TrustNamesOfClients = true;
            options.Yamux.TimeProvider = time;
            (options.Yamux.KeepAliveInterval, options.Yamux.KeepAliveTimeout) = (Second, Second);
        });
        await using var agent = await TestAgent.AttachAsync(server, options: options => options.ConfigureHandler = handler => handler.ConnectCallback = link.ConnectAsync);
        await using var watch = server.Peers.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync().AsTask().Guarded());

        using var frozen = link.Freeze();
        await AdvanceUntil(time, () => !server.Peers.TryGetPeer("a", out _), "the server has noticed");

        Assert.True(await watch.MoveNextAsync().AsTask().Guarded());
        Assert.Equal((PeerChangeKind.Disconnected, PeerDisconnectReason.ConnectionLost), (watch.Current.Kind, watch.Current.Reason));
    }

    // The end waits for those who are late: how long the silence lasts before it is told is the engine's (Yamux.Tests).
    private static Task AdvanceUntil(FakeTimeProvider time, Func<bool> happened, string what) => Guard.Until(
        () =>
        {
            time.Advance(Second);
            return happened();
        },
        what);
}
