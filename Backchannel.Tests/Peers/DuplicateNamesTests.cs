using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Backchannel.V1;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Peers;

/// <summary>Several agents of one name.</summary>
public class DuplicateNamesTests
{
    [Fact]
    public async Task The_newest_of_a_name_is_called_and_the_one_before_it_when_it_goes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var first = await AttachedAgent.StartAsync(server, "a", "1");
        await using var second = await AttachedAgent.StartAsync(server, "a", "2");
        Assert.Equal(second.Attached.PeerId, Called(server));

        await second.DisposeAsync();

        await Guard.Until(() => Called(server) == first.Attached.PeerId, "the first is called again");
        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task The_same_instance_supersedes_its_old_connection_which_closes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var old = await AttachedAgent.StartAsync(server, "a", "run");
        Assert.True(server.Peers.TryGetPeer("a", out var oldPeer));

        await using var fresh = await AttachedAgent.StartAsync(server, "a", "run");

        Assert.Equal(Detached.Types.Reason.Superseded, (await old.NextAsync())?.Detached.Reason);
        Assert.Null(await old.NextAsync());
        await oldPeer.Completion.Guarded();
        Assert.Equal(fresh.Attached.PeerId, Called(server));
        Assert.Equal(["a"], await AttachTests.ListAsync(server));
    }

    [Fact]
    public async Task An_instance_that_attaches_again_on_its_own_connection_keeps_it()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var client = new TestClient(server, "a");
        await using var first = await AttachedAgent.AttachAsync(client, "a", "run");

        await using var second = await AttachedAgent.AttachAsync(client, "a", "run");

        Assert.Equal(Detached.Types.Reason.Superseded, (await first.NextAsync())?.Detached.Reason);
        Assert.Null(await first.NextAsync());
        Assert.Equal("a", (await server.Peers.GetClient<Tester.TesterClient>("a").UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal(1, server.Registry.Count);
    }

    [Fact]
    public async Task Agents_without_an_instance_are_never_the_same()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var first = await AttachedAgent.StartAsync(server, "a");
        await using var second = await AttachedAgent.StartAsync(server, "a");

        Assert.Equal(["a", "a"], await AttachTests.ListAsync(server));
    }

    [Fact]
    public async Task A_name_is_had_once_where_newer_ones_are_refused()
    {
        await using var server = await TestServer.StartAsync(options: options =>
        {
            AttachTests.Trusting(options);
            options.DuplicateNames = DuplicateNames.RefuseNewer;
        });
        await using var first = await AttachedAgent.StartAsync(server, "a", "1");
        await using var client = new TestClient(server);

        var refusal = await AttachedAgent.RefusedAsync(client, "a", "2");
        Assert.Equal(StatusCode.AlreadyExists, refusal.StatusCode);
        Assert.Contains("RefuseNewer", refusal.Status.Detail, StringComparison.Ordinal);

        await using var same = await AttachedAgent.StartAsync(server, "a", "1");
        Assert.Equal(same.Attached.PeerId, Called(server));
    }

    [Fact]
    public async Task Calls_go_round_where_they_are_spread()
    {
        await using var server = await TestServer.StartAsync(options: options =>
        {
            AttachTests.Trusting(options);
            options.DuplicateNames = DuplicateNames.Spread;
        });
        await using var first = await AttachedAgent.StartAsync(server, "a");
        await using var second = await AttachedAgent.StartAsync(server, "a");
        await using var third = await AttachedAgent.StartAsync(server, "a");

        var called = Enumerable.Range(0, 300).Select(_ => Called(server)).GroupBy(id => id).ToDictionary(group => group.Key, group => group.Count());

        Assert.Equal(new Dictionary<long, int> { [first.Attached.PeerId] = 100, [second.Attached.PeerId] = 100, [third.Attached.PeerId] = 100 }, called);
    }

    [Fact]
    public async Task Eight_may_have_a_name_and_the_ninth_is_refused()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        var agents = new List<AttachedAgent>();
        for (var i = 0; i < 8; i++)
        {
            agents.Add(await AttachedAgent.StartAsync(server, "a", $"{i}"));
        }

        await using var client = new TestClient(server);
        var refusal = await AttachedAgent.RefusedAsync(client, "a", "8");
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Contains("8 times", refusal.Status.Detail, StringComparison.Ordinal);

        // The same one again is no ninth.
        agents.Add(await AttachedAgent.StartAsync(server, "a", "3"));
        Assert.Equal(8, (await AttachTests.ListAsync(server)).Count);
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }
    }

    private static long Called(TestServer server)
    {
        Assert.True(server.Peers.TryGetPeer("a", out var peer));
        return peer.Id;
    }
}
