using Backchannel.Tests.Kit;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Peers;

/// <summary>Who comes and who goes.</summary>
public class WatchTests
{
    [Fact]
    public async Task A_watch_begins_with_those_that_are_there_and_goes_on_with_what_changes()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var first = await AttachedAgent.StartAsync(server, "a");
        await using var changes = server.Peers.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.Equal("a Connected ", await NextAsync(changes));
        await using var second = await AttachedAgent.StartAsync(server, "b");
        Assert.Equal("b Connected ", await NextAsync(changes));
        await first.DisposeAsync();
        Assert.Equal("a Disconnected Left", await NextAsync(changes));
        Assert.True(server.Peers.TryGetPeer("b", out var peer));
        await peer.DisconnectAsync("away", cancellationToken: TestContext.Current.CancellationToken).Guarded();
        Assert.Equal("b Disconnected Kicked", await NextAsync(changes));
        await using var third = await AttachedAgent.StartAsync(server, "c", "run");
        Assert.Equal("c Connected ", await NextAsync(changes));
        await using var fourth = await AttachedAgent.StartAsync(server, "c", "run");
        Assert.Equal(["c Connected ", "c Disconnected Superseded"], [await NextAsync(changes), await NextAsync(changes)]);
    }

    [Fact]
    public async Task A_lost_connection_is_told_from_one_that_was_closed()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        await using var agent = await AttachedAgent.StartAsync(server, "a");
        await using var changes = server.Peers.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await NextAsync(changes);

        Assert.Single(server.Connections).Abort();

        Assert.Equal("a Disconnected ConnectionLost", await NextAsync(changes));
    }

    [Fact]
    public async Task A_watch_that_is_cancelled_ends_and_costs_nothing_more()
    {
        await using var server = await TestServer.StartAsync(options: AttachTests.Trusting);
        using var cancel = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            await foreach (var _ in server.Peers.WatchAsync(cancel.Token))
            {
            }
        });

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.Guarded());
    }

    /// <summary>In pairs, in order for each, and no more kept for who does not look than there is.</summary>
    [Fact]
    public void Ten_thousand_peers_that_come_and_go_leave_nothing_to_a_watch_that_did_not_look()
    {
        var names = new PeerNames(DuplicateNames.Newest, 8);
        using var watch = names.Watch();
        var told = NewPeer(names, "told");
        names.Attach(told, out _);
        Assert.Equal(PeerChangeKind.Connected, watch.TryTake()!.Kind);

        const int AtOnce = 16;
        Parallel.For(0, 10_000, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, i =>
        {
            var peer = NewPeer(names, $"peer-{i}");
            Assert.Equal(AttachResult.Attached, names.Attach(peer, out _));
            Assert.InRange(watch.PendingCount, 0, AtOnce); // No more than are there.
            Assert.True(names.Detach(peer, PeerDisconnectReason.Left));
        });
        names.Detach(told, PeerDisconnectReason.Left);

        Assert.Equal((PeerChangeKind.Disconnected, "told"), watch.TryTake() is { } change ? (change.Kind, change.Name) : default);
        Assert.Null(watch.TryTake());
        Assert.Equal(0, names.Count);
    }

    [Fact]
    public async Task A_watch_that_looks_meanwhile_sees_pairs_in_order()
    {
        var names = new PeerNames(DuplicateNames.Newest, 8);
        var watch = names.Watch();
        var present = new HashSet<BackchannelPeer>();
        using var end = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            await foreach (var change in watch.ReadAllAsync(end.Token))
            {
                Assert.True(change.Kind == PeerChangeKind.Connected ? present.Add(change.Peer!) : present.Remove(change.Peer!), $"{change.Kind} of {change.Name} came at the wrong time");
            }
        });

        Parallel.For(0, 10_000, i =>
        {
            var peer = NewPeer(names, $"peer-{i % 16}");
            if (names.Attach(peer, out _) == AttachResult.Attached)
            {
                names.Detach(peer, PeerDisconnectReason.Left);
            }
        });

        await Guard.Until(() => watch.PendingCount == 0 && present.Count == 0, "all that came have gone");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.Guarded());
    }

    private static async Task<string> NextAsync(IAsyncEnumerator<PeerChange> changes)
    {
        Assert.True(await changes.MoveNextAsync().Guarded());
        return $"{changes.Current.Name} {changes.Current.Kind} {changes.Current.Reason}";
    }

    private static PresentPeer NewPeer(PeerNames names, string name) => TestPeer.Create(names, name);
}
