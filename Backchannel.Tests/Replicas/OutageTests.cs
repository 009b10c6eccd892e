using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>What goes on, and what comes back, when the directory is away or a replica is.</summary>
public class OutageTests
{
    [Fact]
    public async Task While_the_directory_is_away_agents_that_are_here_known_or_elsewhere_are_called()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        await using var here = await AttachedAgent.StartAsync(cluster[0].Server, "here");
        await using var known = await AttachedAgent.StartAsync(cluster[1].Server, "known");
        await using var elsewhere = await AttachedAgent.StartAsync(cluster[1].Server, "elsewhere");
        Assert.Equal("known", await CallAsync(cluster[0], "known"));
        await Replica.KnowEachOtherAsync(cluster.Replicas);

        await cluster.GoAwayAsync();

        Assert.Equal("here", await CallAsync(cluster[0], "here"));
        Assert.Equal("known", await CallAsync(cluster[0], "known"));
        Assert.Equal("elsewhere", await CallAsync(cluster[0], "elsewhere"));
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(cluster[0], "nobody"));
        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Contains("the directory of the test is away", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_came_while_the_directory_was_away_is_found_when_it_is_back()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        await Replica.KnowEachOtherAsync(cluster.Replicas);
        await cluster.GoAwayAsync();
        await using var agent = await AttachedAgent.StartAsync(cluster[1].Server, "a");

        cluster.ComeBack();

        await Guard.Until(async () => (await cluster.Inner.FindAsync("a")).Count == 1, "it is written down");
        Assert.Equal("a", await CallAsync(cluster[0], "a"));
        Assert.Contains(cluster[1].Server.Log.Lines, line => line.Event.Name == "DirectoryFound");
    }

    [Fact]
    public async Task An_agent_that_left_while_the_directory_was_away_is_forgotten_when_it_is_back()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        var agent = await AttachedAgent.StartAsync(cluster[1].Server, "a");
        await cluster.GoAwayAsync();
        await agent.DisposeAsync();
        await Guard.Until(() => !cluster[1].Peers.TryGetPeer("a", out _), "it has left");

        cluster.ComeBack();

        await Guard.Until(async () => (await cluster.Inner.FindAsync("a")).Count == 0, "it is forgotten");
    }

    [Fact]
    public async Task A_directory_that_has_lost_everything_is_written_anew()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        await using var agent = await AttachedAgent.StartAsync(cluster[1].Server, "a");
        await Replica.KnowEachOtherAsync(cluster.Replicas);

        cluster.Inner.Clear();

        await Guard.Until(async () => (await cluster.Inner.FindAsync("a")).Count == 1, "it is written down");
        Assert.Equal("a", await CallAsync(cluster[0], "a"));
    }

    [Fact]
    public async Task An_agent_whose_registration_was_not_answered_is_written_once_and_as_old_as_it_is()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        cluster.Directories[1].LosesAnswers = true;
        await using var first = await AttachedAgent.StartAsync(cluster[1].Server, "a", "run-1");
        await using var second = await AttachedAgent.StartAsync(cluster[0].Server, "a", "run-2");

        cluster.Directories[1].LosesAnswers = false;

        await Guard.Until(async () => await IsWrittenAsync(), "its registration is known");
        Assert.Equal([cluster[0].Id, cluster[1].Id], (await cluster.Inner.FindAsync("a")).Select(record => record.Replica));

        async Task<bool> IsWrittenAsync()
        {
            await Task.Yield();
            return cluster[1].Server.Services.GetRequiredService<ReplicaMembership>().IsAvailable && (await cluster.Inner.FindAsync("a")).Count == 2;
        }
    }

    [Fact]
    public async Task What_changes_is_found_though_nobody_is_told_of_it()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        foreach (var directory in cluster.Directories)
        {
            directory.IsSilent = true;
        }

        var waiting = FarCallTests.CallAsync(cluster[0], "a", FarCallTests.Kind.Unary, new PeerCallOptions { WaitForReady = true });
        var first = await AttachedAgent.StartAsync(cluster[1].Server, "a");
        Assert.Equal("a", await waiting.Guarded());
        await first.DisposeAsync();
        await Guard.Until(() => !cluster[1].Peers.TryGetPeer("a", out _), "it has left");
        await using var second = await AttachedAgent.StartAsync(cluster[1].Server, "a");

        Assert.Equal("a", await FarCallTests.CallAsync(cluster[0], "a", FarCallTests.Kind.Unary, new PeerCallOptions { WaitForReady = true }));
    }

    [Fact]
    public async Task A_record_of_an_agent_that_is_not_there_is_removed_by_its_replica_when_somebody_calls()
    {
        await using var cluster = await FaultyCluster.StartAsync(2);
        await cluster.Inner.RegisterAsync(new PeerRecord("ghost", cluster[1].Id, 99, 0, ""), TimeSpan.Zero, alone: false);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(cluster[0], "ghost"));

        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        await Guard.Until(async () => (await cluster.Inner.FindAsync("ghost")).Count == 0, "it is removed");
    }

    [Fact]
    public async Task Calls_at_once_for_a_name_that_nobody_has_ask_the_directory_once()
    {
        await using var cluster = await FaultyCluster.StartAsync(1);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Assert.ThrowsAsync<RpcException>(() => CallAsync(cluster[0], "x"))));

        Assert.InRange(cluster.Directories[0].Looks, 1, 5); // One each half second.
    }

    [Fact]
    public async Task A_replica_that_is_gone_is_told_as_that_and_its_agent_is_called_where_it_comes_next()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var first = await Replica.StartAsync(directory);
        await using var third = await Replica.StartAsync(directory);
        var dead = new ReplicaRecord("dead", new Uri($"http://127.0.0.1:{FreePorts.Next()}"), ReplicaState.Live);
        await directory.RenewAsync(dead, TimeSpan.FromHours(1));
        await directory.RegisterAsync(new PeerRecord("a", "dead", 1, 0, "run"), TimeSpan.Zero, alone: false);

        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(first, "a"));

        Assert.Equal((StatusCode.Unavailable, "none"), (failure.StatusCode, failure.Trailers.GetValue("backchannel-dispatch")));
        Assert.Contains("replica dead", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("cannot be reached", failure.Status.Detail, StringComparison.Ordinal);
        await using var agent = await AttachedAgent.StartAsync(third.Server, "a", "run");
        Assert.Equal("a", await CallAsync(first, "a"));
    }

    [Fact]
    public async Task Two_replicas_of_one_address_are_told()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var replica = await Replica.StartAsync(directory, replica: settings =>
        {
            settings.LeaseTime = TimeSpan.FromSeconds(1);
            settings.RenewInterval = TimeSpan.FromMilliseconds(50);
        });
        await directory.RenewAsync(new ReplicaRecord("twin", new Uri($"http://127.0.0.1:{replica.LinkPort}"), ReplicaState.Live), TimeSpan.FromHours(1));

        await Guard.Until(() => replica.Server.Log.Lines.Any(line => line.Event.Name == "AddressInUse"), "it is told");
        await directory.RegisterAsync(new PeerRecord("a", "twin", 1, 0, "run"), TimeSpan.Zero, alone: false);
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(replica, "a"));
        Assert.Contains("another replica answers there", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica_that_stops_sends_its_agents_to_the_others_and_no_call_to_them_fails()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var caller = await Replica.StartAsync(directory);
        var first = await Replica.StartAsync(directory);
        await using var second = await Replica.StartAsync(directory);
        await using var balancer = new TestBalancer();
        balancer.SetTargets(first.Server.Address);
        await using var agent = await TestAgent.StartAsync(balancer.Address);
        await agent.Connection.WaitConnectedAsync().Guarded();
        using var enough = new CancellationTokenSource();
        var calls = 0;
        var calling = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var client = caller.Peers.GetClient<Tester.TesterClient>("a");
            while (!enough.IsCancellationRequested)
            {
                await client.UnaryAsync(new Request()).ResponseAsync.Guarded();
                Interlocked.Increment(ref calls);
            }
        })));
        await Guard.Until(() => calls > 20 || calling.IsFaulted, "calls are made");

        balancer.SetTargets(second.Server.Address);
        await first.DisposeAsync().Guarded();
        var before = calls;
        await Guard.Until(() => calls > before + 20 || calling.IsFaulted, "calls go on");
        await enough.CancelAsync();

        await calling.Guarded();
        Assert.True(second.Peers.TryGetPeer("a", out _));
    }

    private static Task<string> CallAsync(Replica replica, string name) => FarCallTests.CallAsync(replica, name, FarCallTests.Kind.Unary);
}
