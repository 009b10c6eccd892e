using static Yamux.Tests.Tuning.TunedStream;

namespace Yamux.Tests.Tuning;

/// <summary>The round trip is measured by pings, few of them, and only where a window could grow.</summary>
public class RoundTripTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_ping_is_sent_behind_the_first_SYN_and_not_before()
    {
        await using var t = Tuned();
        await t.Peer.ExpectNothingAsync();

        await t.Session.OpenStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Syn(1));
        Assert.Equal((FrameKind.Ping, FrameFlag.Syn, 0u), await t.Peer.ReadAsync() is var ping ? (ping.Kind, ping.Flags, ping.StreamId) : default);
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_ping_is_sent_behind_the_first_ACK_and_not_before()
    {
        await using var t = Scenario.Server(options => options.MaxStreamWindowSize = 16 * 1024 * 1024);
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();

        await t.Session.AcceptStreamAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Ack(1));
        Assert.Equal((FrameKind.Ping, FrameFlag.Syn, 0u), await t.Peer.ReadAsync() is var ping ? (ping.Kind, ping.Flags, ping.StreamId) : default);
        await t.Peer.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(262_144)]
    [InlineData(1024 * 1024)]
    public async Task A_window_that_starts_with_the_greatest_size_is_told_at_once_and_no_ping_is_sent(int size)
    {
        await using var t = Scenario.Client(options => options.FixWindows(size));
        var tuned = await OpenAsync(t);
        Assert.Equal(size, tuned.Window);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(0, await tuned.PassAsync(size / 2));
            t.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Empty(tuned.Pings);
    }

    [Fact]
    public async Task A_fixed_window_that_the_budget_cut_short_does_not_grow_either()
    {
        await using var t = Scenario.Client(options =>
        {
            options.FixWindows(1024 * 1024);
            options.MaxSessionWindowGrowth = 1024 * 1024;
        });
        var first = await OpenAsync(t);
        var second = await OpenAsync(t);
        Assert.Equal(Initial + (256 * 1024), second.Window);
        first.Stream.Abort();
        await t.Peer.ExpectAsync(Frame.Rst(1));

        Assert.Equal(0, await second.PassAsync(second.Window / 2));
        Assert.Equal(0, await second.PassAsync(second.Window / 2));

        Assert.Empty(second.Pings);
    }

    [Fact]
    public async Task While_the_peer_does_not_answer_windows_stay_and_it_is_not_asked_again()
    {
        await using var t = Tuned();
        var tuned = await OpenAsync(t);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(0, await tuned.PassAsync(HalfWindow));
            t.Time.Advance(TimeSpan.FromSeconds(i));
        }

        Assert.Single(tuned.Pings);
    }

    [Fact]
    public async Task An_answer_to_another_ping_is_no_measure()
    {
        await using var t = Tuned();
        var tuned = await OpenAsync(t);
        await tuned.PassAsync(HalfWindow);
        t.Time.Advance(RoundTrip);
        await t.Peer.SendAsync(Frame.Pong(tuned.Pings.Peek() + 1), Frame.Pong(0xFFFFFFFF));

        Assert.Equal(0, await tuned.PassAsync(HalfWindow));
    }

    [Fact]
    public async Task A_clock_that_stands_still_grows_nothing()
    {
        await using var t = Tuned();
        var tuned = await OpenAsync(t);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
            while (tuned.Pings.Count > 0)
            {
                await tuned.AnswerAsync();
            }
        }
    }

    [Fact]
    public async Task Four_measures_follow_each_other_and_then_one_every_five_seconds()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        for (var i = 0; i < 3; i++)
        {
            t.Time.Advance(2 * RoundTrip);
            await tuned.BurstAsync(HalfWindow);
            t.Time.Advance(RoundTrip);
            await tuned.AnswerAsync();
        }

        t.Time.Advance(Interval - RoundTrip - TimeSpan.FromTicks(1));
        await tuned.BurstAsync(HalfWindow);
        Assert.Empty(tuned.Pings);

        t.Time.Advance(TimeSpan.FromTicks(1));
        await tuned.BurstAsync(HalfWindow);
        Assert.Single(tuned.Pings);
    }

    [Fact]
    public async Task The_shortest_counts_however_long_ago()
    {
        await using var t = Tuned();
        var tuned = await OpenAsync(t);
        TimeSpan[] answers = [RoundTrip, RoundTrip / 10, RoundTrip, RoundTrip];
        foreach (var answer in answers)
        {
            Assert.Equal(0, await tuned.PassAsync(HalfWindow));
            t.Time.Advance(answer);
            await tuned.AnswerAsync();
            t.Time.Advance(RoundTrip * 2);
        }

        await tuned.PassAsync(HalfWindow);
        for (var i = 0; i < 6; i++)
        {
            t.Time.Advance(Interval);
            Assert.Equal(0, await tuned.PassAsync(HalfWindow));
            t.Time.Advance(RoundTrip);
            await tuned.AnswerAsync();
        }

        t.Time.Advance(RoundTrip);
        await tuned.PassAsync(HalfWindow);
        t.Time.Advance(2 * RoundTrip / 10);
        Assert.Equal(0, await tuned.PassAsync(HalfWindow));
    }

    [Fact]
    public async Task The_answer_to_a_keepalive_ping_is_a_measure()
    {
        await using var t = Tuned(configure: options => options.EnableKeepAlive = true);
        var tuned = await OpenAsync(t);
        t.Time.Advance(10 * RoundTrip);
        await tuned.AnswerAsync();
        t.Time.Advance(TimeSpan.FromSeconds(30) - (10 * RoundTrip));
        var ping = await t.Peer.ReadAsync();
        t.Time.Advance(RoundTrip);
        await t.Peer.SendAsync(Frame.Pong(ping.Length));

        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        t.Time.Advance((2 * RoundTrip) - TimeSpan.FromTicks(1));
        Assert.NotEqual(0, await tuned.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task Pings_of_the_user_and_measures_do_not_get_in_each_others_way()
    {
        await using var t = Tuned();
        var first = t.Session.PingAsync().AsTask();
        var firstPing = await t.Peer.ReadAsync();
        var tuned = await OpenAsync(t);
        await tuned.BurstAsync(HalfWindow);
        var second = t.Session.PingAsync().AsTask();
        var secondPing = await t.Peer.ReadAsync();
        Assert.Equal(3, new[] { firstPing.Length, tuned.Pings.Peek(), secondPing.Length }.Distinct().Count());

        t.Time.Advance(RoundTrip);
        await tuned.AnswerAsync();
        Assert.False(first.IsCompleted || second.IsCompleted);
        await t.Peer.SendAsync(Frame.Pong(secondPing.Length), Frame.Pong(firstPing.Length));

        Assert.Equal((RoundTrip, RoundTrip), (await first.Guarded(), await second.Guarded()));
        Assert.Equal(Initial, await tuned.PassAsync(HalfWindow));
    }
}
