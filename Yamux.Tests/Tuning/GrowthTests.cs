using static Yamux.Tests.Tuning.TunedStream;

namespace Yamux.Tests.Tuning;

/// <summary>A window doubles while half of it is consumed in less than two round trips.</summary>
public class GrowthTests
{
    [Fact]
    public async Task A_window_doubles_when_half_of_it_was_consumed_in_less_than_two_round_trips()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        t.Time.Advance((RoundTrip / 2) - TimeSpan.FromTicks(1));

        Assert.Equal(Initial, await tuned.PassAsync(HalfWindow));

        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task A_window_stays_when_half_of_it_lasted_two_round_trips()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        t.Time.Advance(RoundTrip / 2);

        Assert.Equal(0, await tuned.PassAsync(HalfWindow));

        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task A_slow_readers_window_never_grows()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        t.Time.Advance(RoundTrip);

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(0, await tuned.PassAsync(HalfWindow));
            t.Time.Advance(2 * RoundTrip);
        }
    }

    [Fact]
    public async Task Growth_rides_on_the_credit_for_what_was_consumed()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);

        await tuned.SendAndTakeAsync(HalfWindow);

        await t.Peer.ExpectAsync(Frame.Credit(1, HalfWindow + (15 * Initial)));
    }

    [Fact]
    public async Task A_window_that_has_grown_gives_credit_at_half_of_what_it_is()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        await tuned.PassAsync(HalfWindow);
        t.Time.Advance(2 * RoundTrip);

        await tuned.SendAndTakeAsync(Initial - 1);
        Assert.Equal(0, await tuned.CreditedAsync());
        await tuned.SendAndTakeAsync(1);

        Assert.Equal(Initial, await tuned.CreditedAsync());
    }

    [Fact]
    public async Task A_window_grows_to_the_greatest_and_no_further()
    {
        await using var t = Tuned(max: (1024 * 1024) + 1000);
        var tuned = await MeasuredAsync(t);

        var growth = new List<long>();
        for (var i = 0; i < 6; i++)
        {
            growth.Add(await tuned.PassAsync(tuned.Window / 2));
        }

        Assert.Equal([Initial, 2 * Initial, 1000, 0, 0, 0], growth);
        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task A_window_that_began_larger_grows_from_there()
    {
        await using var t = Tuned(configure: options => options.InitialStreamWindowSize = 300_000);
        var tuned = await OpenAsync(t);
        Assert.Equal(300_000, tuned.Window);
        await tuned.BurstAsync(150_000);
        t.Time.Advance(RoundTrip);
        await tuned.AnswerAsync();

        Assert.Equal(300_000, await tuned.PassAsync(150_000));

        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task A_window_never_shrinks()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        await tuned.PassAsync(HalfWindow);

        for (var i = 0; i < 10; i++)
        {
            t.Time.Advance(TimeSpan.FromHours(1));
            Assert.Equal(0, await tuned.PassAsync(Initial));
        }

        Assert.Equal(2 * Initial, tuned.Credit);
    }

    [Fact]
    public async Task Each_stream_has_its_own_pace()
    {
        await using var t = Tuned();
        var fast = await MeasuredAsync(t);
        var slow = await OpenAsync(t);

        Assert.Equal(Initial, await fast.PassAsync(HalfWindow));
        t.Time.Advance(2 * RoundTrip);
        Assert.Equal(0, await slow.PassAsync(HalfWindow));
        t.Time.Advance(2 * RoundTrip);
        Assert.Equal(0, await slow.PassAsync(HalfWindow));
        Assert.Equal(0, await fast.PassAsync(Initial));
    }

    [Fact]
    public async Task A_stream_of_the_peers_grows_too()
    {
        await using var t = Scenario.Server(options => options.MaxStreamWindowSize = 1024 * 1024);
        var tuned = new TunedStream(t, await t.AcceptAsync(1), Initial);
        Assert.Equal(0, await tuned.CreditedAsync());
        t.Time.Advance(RoundTrip);
        await tuned.AnswerAsync();

        Assert.Equal(Initial, await tuned.PassAsync(HalfWindow));
    }

    [Fact]
    public async Task Bytes_that_are_dropped_are_credited_and_grow_nothing()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        await tuned.Stream.Input.CompleteAsync();

        for (var i = 0; i < 4; i++)
        {
            await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(HalfWindow)));
            await t.Peer.ExpectAsync(Frame.Credit(1, HalfWindow));
        }
    }

    [Fact]
    public async Task Credit_adds_up_to_what_was_consumed_and_growth_whatever_the_reader_takes_at_once()
    {
        await using var t = Tuned(max: 3_000_000);
        var tuned = await MeasuredAsync(t);
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            var before = tuned.Window;
            await tuned.SendAndTakeAsync(random.Next(1, (int)Math.Min(tuned.Credit, 400_000) + 1));
            await tuned.CreditedAsync();
            Assert.InRange(tuned.Window - before, 0, 3_000_000 - before);
            t.Time.Advance(RoundTrip / 10);
        }

        Assert.Equal(3_000_000, tuned.Window);
        await tuned.ExpectExactAsync();
    }

    [Theory]
    [InlineData(50, 2)]
    [InlineData(25, 4)]
    [InlineData(10, 10)]
    [InlineData(1, 16)]
    public async Task A_window_becomes_twice_what_comes_in_a_round_trip_at_the_pace_of_its_burst(int milliseconds, int times)
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);

        await tuned.SendAndTakeAsync(HalfWindow / 2);
        t.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal((times - 1) * Initial, await tuned.BurstAsync(HalfWindow / 2));
        await tuned.ExpectExactAsync();
    }

    [Fact]
    public async Task What_the_peer_had_sent_before_it_stood_still_is_no_part_of_the_burst()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);

        await tuned.SendAndTakeAsync(HalfWindow / 4);
        t.Time.Advance(RoundTrip * 0.75);
        await tuned.SendAndTakeAsync(HalfWindow / 4);
        t.Time.Advance(RoundTrip / 8);

        // Three quarters of half a window in an eighth of a round trip: six windows in two.
        Assert.Equal(5 * Initial, await tuned.BurstAsync(HalfWindow / 2));
    }

    [Fact]
    public async Task A_stream_opened_while_the_round_trip_is_known_grows_with_its_first_credit()
    {
        await using var t = Tuned();
        await MeasuredAsync(t);
        var tuned = await OpenAsync(t);

        Assert.Equal(Initial, await tuned.PassAsync(HalfWindow));
    }

    [Fact]
    public async Task Where_the_round_trip_is_short_a_burst_is_no_pace()
    {
        await using var t = Tuned();
        var tuned = await NearAsync(t);
        t.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        t.Time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task Where_the_round_trip_is_short_a_pace_that_is_kept_for_20_ms_grows_the_window()
    {
        await using var t = Tuned();
        var tuned = await NearAsync(t);
        for (var i = 1; i < 19; i++)
        {
            t.Time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        }

        t.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Initial, await tuned.BurstAsync(HalfWindow));
    }

    // The round trip is 1 ms, which have passed since the stream was opened, and the first credit was given just now.
    private static async Task<TunedStream> NearAsync(Scenario t)
    {
        var tuned = await OpenAsync(t);
        t.Time.Advance(TimeSpan.FromMilliseconds(1));
        await tuned.AnswerAsync();
        Assert.Equal(0, await tuned.BurstAsync(HalfWindow));
        return tuned;
    }
}
