using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>Several agents of one name, attached to several replicas.</summary>
public class ManyOfOneNameTests
{
    [Fact]
    public async Task The_newest_is_called_from_every_replica_and_the_older_again_when_it_goes()
    {
        var replicas = await Replica.StartAsync(3);
        await using var all = new AllOf(replicas);
        await using var first = await StartAsync(replicas[0], "first");
        var second = await StartAsync(replicas[1], "second");

        foreach (var replica in replicas)
        {
            await Guard.Until(async () => await CallAsync(replica) == "second", "the newest is called");
        }

        await second.DisposeAsync();
        foreach (var replica in replicas)
        {
            await Guard.Until(async () => await CallAsync(replica) == "first", "the older is called again");
        }
    }

    [Fact]
    public async Task An_older_one_is_called_where_it_is_when_the_replica_of_the_newer_cannot_be_reached()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var replica = await Replica.StartAsync(directory);
        await using var agent = await StartAsync(replica, "first");
        await directory.RenewAsync(new ReplicaRecord("dead", new Uri("http://127.0.0.1:1"), ReplicaState.Live), TimeSpan.FromHours(1));
        var registration = await directory.RegisterAsync(new PeerRecord("a", "dead", 1, 0, "second"), TimeSpan.Zero, alone: false);
        await Guard.Until(() => replica.Peers.TryGetPeer("a", out _) == false, "it has heard of the newer");
        Assert.True(registration.Generation > 0);

        Assert.Equal("first", await CallAsync(replica));
    }

    [Fact]
    public async Task Where_a_name_may_be_had_once_the_second_is_refused_by_another_replica_too()
    {
        var replicas = await Replica.StartAsync(2, options: options => options.DuplicateNames = DuplicateNames.RefuseNewer);
        await using var all = new AllOf(replicas);
        await using var first = await AttachedAgent.StartAsync(replicas[0].Server, "a", "run-1");
        await using var client = new TestClient(replicas[1].Server, "second");

        var refusal = await AttachedAgent.RefusedAsync(client, "a", "run-2");

        Assert.Equal(StatusCode.AlreadyExists, refusal.StatusCode);
        Assert.Contains("another replica", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.False(replicas[1].Peers.TryGetPeer("a", out _));
        await using var same = await AttachedAgent.AttachAsync(client, "a", "run-1"); // It has moved.
        Assert.Equal("second", await CallAsync(replicas[1]));
    }

    [Fact]
    public async Task A_name_is_attached_eight_times_at_most_to_all_replicas_together()
    {
        var replicas = await Replica.StartAsync(3);
        await using var all = new AllOf(replicas);
        var agents = new List<AttachedAgent>();
        await using var ends = new AllOf(agents);
        for (var i = 0; i < 8; i++)
        {
            agents.Add(await AttachedAgent.StartAsync(replicas[i % 3].Server, "a"));
        }

        await using var client = new TestClient(replicas[2].Server, "ninth");
        var refusal = await AttachedAgent.RefusedAsync(client, "a");

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Contains("8 times", refusal.Status.Detail, StringComparison.Ordinal);
        await agents[0].DisposeAsync();
        await Guard.Until(() => !replicas[0].Server.Log.Lines.IsEmpty && !IsThere(replicas[0], agents[0]), "it has gone");
        await Guard.Until(
            async () =>
            {
                try
                {
                    await using var agent = await AttachedAgent.AttachAsync(client, "a");
                    return true;
                }
                catch (RpcException full) when (full.StatusCode == StatusCode.ResourceExhausted)
                {
                    return false; // That one has gone is not written yet.
                }
            },
            "there is room");
    }

    [Fact]
    public async Task Spread_calls_go_round_those_of_the_replica_that_calls()
    {
        var replicas = await Replica.StartAsync(2, options: options => options.DuplicateNames = DuplicateNames.Spread);
        await using var all = new AllOf(replicas);
        await using var first = await StartAsync(replicas[0], "first");
        await using var second = await StartAsync(replicas[0], "second");
        await using var third = await StartAsync(replicas[1], "third");

        var called = new HashSet<string>();
        for (var i = 0; i < 4; i++)
        {
            called.Add(await CallAsync(replicas[0]));
        }

        Assert.Equal(["first", "second"], called.Order());
        Assert.Equal("third", await CallAsync(replicas[1]));
    }

    private static bool IsThere(Replica replica, AttachedAgent agent) => replica.Server.Registry.TryGetPeer(agent.Attached.PeerId, out _);

    private static async Task<AttachedAgent> StartAsync(Replica replica, string servedBy)
        => await AttachedAgent.AttachAsync(new TestClient(replica.Server, servedBy), "a", servedBy, ownsClient: true);

    private static Task<string> CallAsync(Replica replica) => FarCallTests.CallAsync(replica, "a", FarCallTests.Kind.Unary);
}
