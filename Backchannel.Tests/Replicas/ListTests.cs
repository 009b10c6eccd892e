using Backchannel.Tests.Kit;
using Backchannel.Tests.Replicas.Kit;
using Xunit;

namespace Backchannel.Tests.Replicas;

/// <summary>Who is attached, to whichever replica.</summary>
public class ListTests
{
    [Fact]
    public async Task Each_replica_lists_the_agents_of_all_in_the_order_of_their_names()
    {
        var replicas = await Replica.StartAsync(3);
        await using var all = new AllOf(replicas);
        var agents = new List<AttachedAgent>();
        await using var ends = new AllOf(agents);
        foreach (var (name, at) in new[] { ("d", 0), ("a", 1), ("c", 2), ("b", 0), ("c", 1) })
        {
            agents.Add(await AttachedAgent.StartAsync(replicas[at].Server, name));
        }

        await Replica.KnowEachOtherAsync(replicas);
        foreach (var replica in replicas)
        {
            var peers = await replica.Peers.ListAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken).AsTask().Guarded();

            Assert.Equal(["a", "b", "c", "c", "d"], peers.Select(peer => peer.Name));
            Assert.All(peers, peer => Assert.Equal(peer.IsLocal, peer.Replica == replica.Id));
            Assert.Equal(peers.Count, peers.Distinct().Count());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(100)]
    public async Task Pages_hold_each_agent_once_and_those_of_one_name_together(int count)
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        var agents = new List<AttachedAgent>();
        await using var ends = new AllOf(agents);
        for (var i = 0; i < 12; i++)
        {
            agents.Add(await AttachedAgent.StartAsync(replicas[i % 2].Server, $"a{i / 3}"));
        }

        await Replica.KnowEachOtherAsync(replicas);
        var listed = new List<PeerLocation>();
        string? continuation = null;
        do
        {
            var page = await replicas[0].Peers.ListPageAsync(continuation, count, TestContext.Current.CancellationToken).Guarded();
            Assert.Empty(page.UnreachableReplicas);
            Assert.True(page.Peers.Count >= count || page.Continuation is null);
            listed.AddRange(page.Peers);
            continuation = page.Continuation;
        }
        while (continuation is not null);

        Assert.Equal(agents.Select(agent => agent.Attached.Name).Order(), listed.Select(peer => peer.Name));
        Assert.Equal(listed.Count, listed.Distinct().Count());
    }

    [Fact]
    public async Task A_page_says_which_replicas_have_not_answered()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var replica = await Replica.StartAsync(directory, replica: settings => settings.RenewInterval = TimeSpan.FromMilliseconds(50));
        await directory.RenewAsync(new ReplicaRecord("dead", new Uri($"http://127.0.0.1:{FreePorts.Next()}"), ReplicaState.Live), TimeSpan.FromHours(1));
        await using var agent = await AttachedAgent.StartAsync(replica.Server, "a");

        await Guard.Until(async () => (await replica.Peers.ListPageAsync(cancellationToken: TestContext.Current.CancellationToken)).UnreachableReplicas is ["dead"], "it is told");

        Assert.Equal(["a"], await NamesAsync(replica));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public async Task A_page_of_a_size_out_of_range_is_refused(int count)
    {
        await using var server = await TestServer.StartAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => server.Peers.ListPageAsync(null, count, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task A_watch_of_all_tells_of_those_that_are_there_and_of_what_changes_at_each_replica()
    {
        var replicas = await Replica.StartAsync(2);
        await using var all = new AllOf(replicas);
        await Replica.KnowEachOtherAsync(replicas);
        await using var here = await AttachedAgent.StartAsync(replicas[0].Server, "here");
        await using var there = await AttachedAgent.StartAsync(replicas[1].Server, "there");
        await using var changes = replicas[0].Peers.WatchAsync(PeerScope.AllReplicas, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.Equal(["here True Connected ", "there False Connected "], new[] { await NextAsync(changes), await NextAsync(changes) }.Order());
        await there.DisposeAsync();
        Assert.Equal("there False Disconnected Left", await NextAsync(changes));
        await using var again = await AttachedAgent.StartAsync(replicas[1].Server, "again");
        Assert.Equal("again False Connected ", await NextAsync(changes));
        await here.DisposeAsync();
        Assert.Equal("here True Disconnected Left", await NextAsync(changes));
    }

    [Fact]
    public async Task A_watch_of_all_tells_that_the_agents_of_a_replica_that_is_lost_have_gone()
    {
        var directory = new InMemoryBackchannelDirectory();
        await using var replica = await Replica.StartAsync(directory, replica: settings => settings.RenewInterval = TimeSpan.FromMilliseconds(50));
        await using var other = await Replica.StartAsync(directory);
        await using var agent = await AttachedAgent.StartAsync(other.Server, "a");
        await using var changes = replica.Peers.WatchAsync(PeerScope.AllReplicas, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.Equal("a False Connected ", await NextAsync(changes));

        foreach (var connection in other.Server.Connections)
        {
            if (connection.LocalEndPoint is System.Net.IPEndPoint { Port: var port } && port == other.LinkPort)
            {
                connection.Abort();
            }
        }

        Assert.Equal("a False Disconnected ReplicaUnreachable", await NextAsync(changes));
        Assert.Equal("a False Connected ", await NextAsync(changes)); // The link is made anew.
    }

    private static async Task<string> NextAsync(IAsyncEnumerator<PeerChange> changes)
    {
        Assert.True(await changes.MoveNextAsync().AsTask().Guarded());
        var change = changes.Current;
        return $"{change.Name} {change.Location.IsLocal} {change.Kind} {change.Reason}";
    }

    private static async Task<List<string>> NamesAsync(Replica replica)
        => await replica.Peers.ListAsync(TestContext.Current.CancellationToken).Select(peer => peer.Name).ToListAsync(TestContext.Current.CancellationToken).AsTask().Guarded();
}
