using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>A server sends its agents elsewhere before it stops.</summary>
public class DrainTests
{
    [Fact]
    public async Task A_server_that_stops_with_idle_agents_tells_them_to_move_and_waits_until_they_have()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        var stopping = server.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal((Guard.BeyondLimit * 2 / 3).TotalMilliseconds, (await agent.NextAsync())!.Draining.MoveWithinMs, tolerance: 60_000); // Of what the host has.
        Assert.False(stopping.IsCompleted);
        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        await agent.DisposeAsync();
        await stopping.Guarded();
    }

    [Fact]
    public async Task A_server_that_drains_takes_no_further_agent_and_says_when_to_come_again()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await using var client = new TestClient(server);
        var draining = server.Peers.DrainAsync(TestContext.Current.CancellationToken);
        await agent.NextAsync();

        var refusal = await AttachedAgent.RefusedAsync(client, "b");

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Equal("100", refusal.Trailers.GetValue("grpc-retry-pushback-ms"));
        Assert.Equal(LogLevel.Debug, Assert.Single(server.Log.Lines, line => line.Event.Name == "AttachRefused").Level); // Each agent that moves may ask: no warning.
        Assert.False(draining.IsCompleted);
        agent.Call.Dispose();
        await draining.Guarded();
    }

    [Fact]
    public async Task Agents_that_do_not_move_in_time_are_detached()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(time, TimeSpan.FromSeconds(30)));
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        var draining = server.Peers.DrainAsync(TestContext.Current.CancellationToken);
        Assert.Equal(30_000, (await agent.NextAsync())!.Draining.MoveWithinMs);

        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(draining.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        await draining.Guarded();
        Assert.Equal(Detached.Types.Reason.ShuttingDown, (await agent.NextAsync())!.Detached.Reason);
        Assert.Null(await agent.NextAsync());
    }

    [Theory]
    [InlineData(0.5, 1)]
    [InlineData(1.5, 2)]
    [InlineData(30_000, 30_000)]
    [InlineData(-1, 0)]
    public async Task A_time_that_is_all_but_over_is_not_told_as_no_limit(double drainTimeout, long told)
    {
        var limit = drainTimeout < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(drainTimeout);
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(new FakeTimeProvider(), limit));
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        var draining = server.Peers.DrainAsync(TestContext.Current.CancellationToken);

        Assert.Equal(told, (await agent.NextAsync())!.Draining.MoveWithinMs);
        agent.Call.Dispose();
        await draining.Guarded();
    }

    [Fact]
    public async Task An_agent_that_reads_no_notice_holds_up_no_drain()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(time, TimeSpan.FromSeconds(30)));
        await using var client = new TestClient(server);
        using var unread = new Attachment.AttachmentClient(client.Invoker).Attach(new AttachRequest { Name = "a" });
        await server.Peers.WaitForPeerAsync("a", TestContext.Current.CancellationToken).Guarded();

        var draining = server.Peers.DrainAsync(TestContext.Current.CancellationToken);
        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(30));
            return draining.IsCompleted;
        }, "the drain is over");

        await draining;
        await Guard.Until(() => !server.Peers.TryGetPeer("a", out _), "it is attached no more");
    }

    [Fact]
    public async Task Many_agents_hear_of_it_one_after_the_other_in_a_third_of_the_time()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(time, TimeSpan.FromMilliseconds(300)));
        var agents = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AttachedAgent.StartAsync(server, $"a{i}")));
        var draining = server.Peers.DrainAsync(TestContext.Current.CancellationToken);
        var told = agents.Select(agent => agent.NextAsync()).ToArray();
        await Guard.Until(() => told.Count(task => task.IsCompleted) == 1, "the first has heard");

        time.Advance(TimeSpan.FromMilliseconds(50));
        await Guard.Until(() => told.Count(task => task.IsCompleted) == 11, "half of them have heard after half of a third");
        time.Advance(TimeSpan.FromMilliseconds(50));
        await Task.WhenAll(told).Guarded();

        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        await draining.Guarded();
    }

    [Fact]
    public async Task A_drain_that_nobody_waits_for_goes_on()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.Peers.DrainAsync(new CancellationToken(canceled: true)));

        Assert.NotNull((await agent.NextAsync())!.Draining);
        agent.Call.Dispose();
        await server.Peers.DrainAsync(TestContext.Current.CancellationToken).Guarded();
    }
}
