using static Yamux.Tests.Tuning.TunedStream;

namespace Yamux.Tests.Tuning;

/// <summary>The first stream of a new connection, whose peer hears of the window a round trip late, and whose distance is not known yet.</summary>
public class ColdTests
{
    private const int First = 1024 * 1024;

    [Fact]
    public async Task A_stream_of_ours_starts_with_1_MiB_told_with_its_SYN()
    {
        await using var t = Cold(YamuxRole.Client);

        Assert.Equal(First, (await OpenAsync(t)).Window);
    }

    [Fact]
    public async Task A_stream_of_the_peers_starts_with_1_MiB_told_with_its_ACK()
    {
        await using var t = Cold(YamuxRole.Server);

        Assert.Equal(First, (await AcceptAsync(t)).Window);
    }

    [Fact]
    public async Task A_peer_that_sends_at_once_what_it_may_before_it_hears_of_us_gets_four_times_the_first_window()
    {
        await using var t = Cold(YamuxRole.Server);
        var tuned = await AcceptAsync(t);
        t.Time.Advance(TimeSpan.FromMilliseconds(20));

        Assert.Equal(3 * First, await tuned.BurstAsync(HalfWindow));
        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task A_slower_one_does_not()
    {
        await using var t = Cold(YamuxRole.Server);
        var tuned = await AcceptAsync(t);
        t.Time.Advance(TimeSpan.FromMilliseconds(20) + TimeSpan.FromTicks(1));

        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task It_happens_once_a_stream()
    {
        await using var t = Cold(YamuxRole.Server);
        var tuned = await AcceptAsync(t);
        await tuned.BurstAsync(HalfWindow);

        Assert.Equal(0, await tuned.BurstAsync(tuned.Window / 2));
    }

    [Fact]
    public async Task Nor_does_one_that_is_known_to_be_near()
    {
        await using var t = Cold(YamuxRole.Server);
        var tuned = await AcceptAsync(t);
        t.Time.Advance(TimeSpan.FromMilliseconds(1));
        await tuned.AnswerAsync();

        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task The_budget_bounds_it()
    {
        await using var t = Cold(YamuxRole.Server, options => options.MaxSessionWindowGrowth = 2 * First);
        var tuned = await AcceptAsync(t);

        Assert.Equal((2 * First) - (First - Initial), await tuned.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task The_greatest_window_bounds_it()
    {
        await using var t = Cold(YamuxRole.Server, options => options.MaxStreamWindowSize = 2 * First);
        var tuned = await AcceptAsync(t);

        Assert.Equal(First, await tuned.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task Fixed_windows_stay_and_give_their_first_credit_at_half_of_what_the_peer_knows_of()
    {
        await using var t = Cold(YamuxRole.Server, options => options.FixWindows(First));
        var tuned = new TunedStream(t, await t.AcceptAsync(1), First);

        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        await tuned.SendAndTakeAsync(First / 4);
        Assert.Equal(0, await tuned.CreditedAsync());
        await tuned.SendAndTakeAsync(First / 4);
        Assert.Equal(First / 2, await tuned.CreditedAsync());
    }

    // The defaults.
    private static Scenario Cold(YamuxRole role, Action<YamuxOptions>? configure = null)
    {
        void Configure(YamuxOptions options)
        {
            var defaults = new YamuxOptions();
            options.InitialStreamWindowSize = defaults.InitialStreamWindowSize;
            options.MaxStreamWindowSize = defaults.MaxStreamWindowSize;
            configure?.Invoke(options);
        }

        return role == YamuxRole.Client ? Scenario.Client(Configure) : Scenario.Server(Configure);
    }

    private static async Task<TunedStream> AcceptAsync(Scenario t)
    {
        await t.Peer.SendAsync(Frame.Syn(1));
        var stream = (await t.Session.AcceptStreamAsync().Guarded())!;
        var ack = await t.Peer.ReadAsync();
        Assert.Equal((FrameKind.WindowUpdate, FrameFlag.Ack, 1u), (ack.Kind, ack.Flags, ack.StreamId));
        var tuned = new TunedStream(t, stream, Initial + ack.Length);
        Assert.Equal(0, await tuned.CreditedAsync());
        return tuned;
    }
}
