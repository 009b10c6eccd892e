namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": growth of windows beyond 262,144, whole session.</summary>
public class WindowGrowthTests
{
    [Fact]
    public async Task Streams_share_the_budget_and_start_smaller_when_it_is_given_away()
    {
        await using var t = Scenario.Client(options =>
        {
            options.FixWindows(262_144 + 1000);
            options.MaxSessionWindowGrowth = 1500;
        });

        var first = await t.Session.OpenStreamAsync().Guarded();
        await t.Session.OpenStreamAsync().Guarded();
        await t.Session.OpenStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Syn(1, 1000), Frame.Syn(3, 500), Frame.Syn(5, 0));

        first.Abort();
        await t.Session.OpenStreamAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Rst(1), Frame.Syn(7, 1000));
    }

    [Fact]
    public async Task A_stream_that_was_reset_before_it_was_accepted_costs_nothing_of_the_budget()
    {
        await using var t = Scenario.Server(options =>
        {
            options.FixWindows(262_144 + 1000);
            options.MaxSessionWindowGrowth = 1000;
        });
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Rst(1), Frame.Syn(3), Frame.Syn(5));
        await t.Peer.ExpectNothingAsync();

        await t.Session.AcceptStreamAsync().Guarded();
        await t.Session.AcceptStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Ack(3, 1000), Frame.Ack(5, 0));
    }
}
