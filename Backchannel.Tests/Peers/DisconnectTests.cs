using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>A server sends an agent away.</summary>
public class DisconnectTests
{
    [Fact]
    public async Task An_agent_that_is_sent_away_hears_why_and_when_to_come_back_and_its_connection_closes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        var disconnecting = peer.DisconnectAsync("too old", TimeSpan.FromSeconds(7), TestContext.Current.CancellationToken);

        Assert.False(server.Peers.TryGetPeer("a", out _));
        var told = (await agent.NextAsync())!.Detached;
        Assert.Equal((Detached.Types.Reason.Kicked, "too old", 7000), (told.Reason, told.Detail, told.RetryAfterMs));
        Assert.Null(await agent.NextAsync());
        await disconnecting.Guarded();
        Assert.Equal(0, server.Registry.Count);
    }

    [Fact]
    public async Task Calls_that_run_may_end_when_their_agent_is_sent_away()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var running = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.Client.State.Hanging.Guarded();
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        var disconnecting = peer.DisconnectAsync("away", cancellationToken: TestContext.Current.CancellationToken);

        await agent.NextAsync();
        Assert.False(disconnecting.IsCompleted);
        agent.Client.State.LetGo();
        await running.Guarded();
        await disconnecting.Guarded();
    }

    [Fact]
    public async Task A_call_that_goes_on_for_longer_than_the_drain_timeout_is_cut_off()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(time, TimeSpan.FromSeconds(30)));
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var running = server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.Client.State.Hanging.Guarded();
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        var disconnecting = peer.DisconnectAsync("away", cancellationToken: TestContext.Current.CancellationToken);
        await agent.NextAsync();
        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(disconnecting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await disconnecting.Guarded();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => running.Guarded())).StatusCode);
    }

    [Fact]
    public async Task A_client_that_has_not_attached_is_sent_away_as_well()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        await Assert.Single(server.Registry.Peers).DisconnectAsync("away", cancellationToken: TestContext.Current.CancellationToken).Guarded();

        Assert.Equal(0, server.Registry.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(25 * 24 * 3600.0)]
    public async Task A_time_to_come_back_that_cannot_be_told_is_refused(double seconds)
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        Assert.True(server.Peers.TryGetPeer("a", out var peer));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => peer.DisconnectAsync("away", TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken));
        Assert.True(server.Peers.TryGetPeer("a", out _));
    }
}
