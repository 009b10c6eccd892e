using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Peers;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Agents;

/// <summary>An agent moves from a server that stops to another behind the same address.</summary>
public class MoveTests
{
    [Fact]
    public async Task An_agent_attaches_elsewhere_before_it_lets_go_of_the_server_that_stops()
    {
        await using var balancer = new TestBalancer();
        await using var first = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var second = await TestServer.StartAsync(options: AttachTests.Trusting);
        balancer.SetTargets(first.Address);
        await using var agent = await TestAgent.StartAsync(balancer.Address);
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        var running = first.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.State.Hanging.Guarded();
        var outgoing = agent.Tester.UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await first.State.Hanging.Guarded();
        balancer.SetTargets(second.Address);

        var stopping = first.StopAsync(TestContext.Current.CancellationToken);

        await second.Peers.WaitForPeerAsync("a", TestContext.Current.CancellationToken).Guarded();
        Assert.Equal("a", (await second.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        await Guard.Until(() => agent.Log.Lines.Count(line => line.Event.Name == "AgentAttached") == 2, "the agent knows it too");
        await agent.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        Assert.NotEmpty(second.State.Peers);
        Assert.False(stopping.IsCompleted);
        Assert.False(running.IsCompleted || outgoing.IsCompleted);
        agent.State.LetGo();
        first.State.LetGo();
        await Task.WhenAll(running, outgoing).Guarded();
        await stopping.Guarded();
    }

    [Fact]
    public async Task An_agent_without_another_server_finishes_what_runs_and_comes_back()
    {
        await using var balancer = new TestBalancer();
        await using var first = await TestServer.StartAsync(options: AttachTests.Trusting);
        balancer.SetTargets(first.Address);
        await using var agent = await TestAgent.StartAsync(balancer.Address, options: ReconnectTests.Hasty);
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        var running = first.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await agent.State.Hanging.Guarded();

        var stopping = first.StopAsync(TestContext.Current.CancellationToken);
        await Guard.Until(() => agent.Log.Lines.Any(line => line.Event.Name == "AgentNotMoved"), "it finds no other");
        agent.State.LetGo();
        Assert.Equal("a", (await running.Guarded()).ServedBy);
        await stopping.Guarded();

        await using var second = await TestServer.StartAsync(options: AttachTests.Trusting);
        balancer.SetTargets(second.Address);
        await second.Peers.WaitForPeerAsync("a", TestContext.Current.CancellationToken).Guarded();
    }

    [Fact]
    public async Task A_server_that_stops_with_an_idle_agent_and_no_other_server_has_stopped_within_a_second()
    {
        var time = new HastyTime(TimeSpan.FromMilliseconds(100));
        await using var server = await TestServer.StartAsync(options: AttachTests.TrustingOn(new FakeTimeProvider(), Guard.BeyondLimit));
        await using var agent = await TestAgent.AttachAsync(server, time: time);

        await server.StopAsync(TestContext.Current.CancellationToken).Guarded();

        Assert.Contains(agent.Log.Lines, line => line.Event.Name == "AgentNotMoved");
        Assert.Equal(2, time.Count); // And neither has waited for anything else: the clocks have stood still.
        await agent.StopAsync(TestContext.Current.CancellationToken).Guarded();
    }

    [Fact]
    public async Task An_agent_that_finds_no_other_server_in_time_knows_that_it_has_lost_the_old_one()
    {
        await using var balancer = new TestBalancer();
        await using var first = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        balancer.SetTargets(first.Address);
        await using var agent = await TestAgent.StartAsync(balancer.Address);
        await agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken).Guarded();
        balancer.SetTargets($"http://{silent.LocalEndpoint}");
        var draining = first.Peers.DrainAsync(TestContext.Current.CancellationToken);
        await Guard.Until(() => agent.Log.Lines.Any(line => line.Event.Name == "AgentMoves"), "it tries to move");
        Assert.Equal(BackchannelConnectionState.Connected, agent.Connection.State);

        Assert.Single(first.Connections).Abort();

        await Guard.Until(() => agent.Connection.State == BackchannelConnectionState.Reconnecting, "it knows");
        Assert.NotNull(agent.Connection.LastFailure);
        await draining.Guarded();
    }

    /// <summary>Fifty streams, in both directions, go on where they are for as long as the drain may take.</summary>
    [Fact]
    public async Task Streams_end_no_earlier_than_the_drain_timeout_when_their_server_stops()
    {
        const int Agents = 20;
        var time = new FakeTimeProvider();
        await using var balancer = new TestBalancer();
        await using var first = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var second = await TestServer.StartAsync(options: AttachTests.Trusting);
        balancer.SetTargets(first.Address);
        var agents = await Task.WhenAll(Enumerable.Range(0, Agents).Select(i => TestAgent.StartAsync(balancer.Address, $"a{i}", Patient, time)));
        await Task.WhenAll(agents.Select(agent => agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken))).Guarded();
        var streams = Enumerable.Range(0, 50)
            .Select(i => (i % 2 == 0 ? agents[i % Agents].Tester : first.Peers.GetClient<Tester.TesterClient>($"a{i % Agents}")).Duplex())
            .ToArray();
        await ExchangeAsync(streams);
        balancer.SetTargets(second.Address);

        var stopping = first.StopAsync(TestContext.Current.CancellationToken);
        await Task.WhenAll(agents.Select((_, i) => second.Peers.WaitForPeerAsync($"a{i}", TestContext.Current.CancellationToken).AsTask())).Guarded();
        await Guard.Until(() => Enumerable.Range(0, Agents).All(i => !first.Peers.TryGetPeer($"a{i}", out _)), "all have let go of the first");
        await ExchangeAsync(streams);
        time.Advance(DrainTimeout - TimeSpan.FromTicks(1));
        await ExchangeAsync(streams);
        Assert.False(stopping.IsCompleted);

        await Guard.Until(
            () =>
            {
                time.Advance(DrainTimeout); // It may not have begun to count yet.
                return stopping.IsCompleted;
            },
            "the first has stopped");
        await Task.WhenAll(streams.Select(stream => Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded())));
        await stopping.Guarded();
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        static void Patient(BackchannelAgentOptions options)
        {
            options.DrainTimeout = DrainTimeout;
            options.KeepAliveInterval = TimeSpan.FromDays(1);
        }
    }

    /// <summary>Planned: no unary call is lost, in either direction.</summary>
    [Fact]
    public async Task A_rolling_restart_under_load_loses_no_unary_call()
    {
        const int Agents = 20;
        await using var balancer = new TestBalancer();
        var servers = new[] { await TestServer.StartAsync(options: AttachTests.Trusting), await TestServer.StartAsync(options: AttachTests.Trusting) };
        balancer.SetTargets(servers[0].Address, servers[1].Address);
        var agents = await Task.WhenAll(Enumerable.Range(0, Agents).Select(i => TestAgent.StartAsync(balancer.Address, $"a{i}", ReconnectTests.Hasty)));
        await Task.WhenAll(agents.Select(agent => agent.Connection.WaitConnectedAsync(TestContext.Current.CancellationToken))).Guarded();
        using var end = new CancellationTokenSource();
        long made = 0;
        var loads = agents.Select(agent => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await agent.Tester.UnaryAsync(new Request(), new CallOptions().WithWaitForReady()).ResponseAsync.Guarded();
                Interlocked.Increment(ref made);
            }
        })).Concat(Enumerable.Range(0, Agents).Select(i => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await CallSomewhereAsync(() => servers, $"a{i}");
                Interlocked.Increment(ref made);
            }
        }))).ToArray();

        // Each of the two in turn.
        for (var round = 0; round < Restarts; round++)
        {
            var which = round % 2;
            var old = servers[which];
            balancer.SetTargets(servers[1 - which].Address);
            await old.StopAsync(TestContext.Current.CancellationToken).Guarded();
            var next = await TestServer.StartAsync(options: AttachTests.Trusting);
            servers[which] = next;
            balancer.SetTargets(servers[0].Address, servers[1].Address);
            await old.DisposeAsync();
            await Task.WhenAll(loads.Where(load => load.IsCompleted)); // With what it has failed with.
            Assert.DoesNotContain(loads, load => load.IsCompleted);
        }

        await end.CancelAsync();
        await Task.WhenAll(loads).Guarded();
        Assert.True(Interlocked.Read(ref made) > 0);
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        await servers[0].DisposeAsync();
        await servers[1].DisposeAsync();
    }

    private static TimeSpan DrainTimeout => TimeSpan.FromSeconds(30);

    private static Task ExchangeAsync(IEnumerable<AsyncDuplexStreamingCall<Request, Reply>> streams) => Task.WhenAll(streams.Select(async stream =>
    {
        await stream.RequestStream.WriteAsync(new Request()).Guarded();
        Assert.True(await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded());
    }));

    private static int Restarts => Rounds.Of(few: 4, many: 40);

    // As an application with two servers would: where the agent is is for a directory to say, and here for both.
    private static async Task CallSomewhereAsync(Func<TestServer[]> servers, string name)
    {
        while (true)
        {
            foreach (var server in servers())
            {
                try
                {
                    await server.Peers.GetClient<Tester.TesterClient>(name).UnaryAsync(new Request()).ResponseAsync.Guarded();
                    return;
                }
                catch (RpcException failure) when (failure.Trailers.GetValue("backchannel-dispatch") == "none")
                {
                    // It is not here.
                }
                catch (ObjectDisposedException)
                {
                    // The server is not here any more.
                }
            }

            await Task.Yield();
        }
    }
}
