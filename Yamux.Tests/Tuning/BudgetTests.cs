using static Yamux.Tests.Tuning.TunedStream;

namespace Yamux.Tests.Tuning;

/// <summary>What windows grow by is taken from the session's budget, and goes back to it.</summary>
public class BudgetTests
{
    private const int Budget = Initial + 40_000;

    [Fact]
    public async Task Windows_stop_growing_when_the_budget_is_given_away()
    {
        await using var t = TunedWithBudget();
        var (first, second) = await PairAsync(t);

        Assert.Equal(Initial, await first.PassAsync(HalfWindow));
        Assert.Equal(40_000, await first.PassAsync(Initial));
        Assert.Equal(0, await first.BurstAsync(first.Window / 2));
        Assert.Equal(0, await second.BurstAsync(HalfWindow));

        await second.ExpectExactAsync();
    }

    [Fact]
    public async Task No_ping_is_sent_while_nothing_could_grow()
    {
        await using var t = TunedWithBudget();
        var tuned = await MeasuredAsync(t);
        await tuned.PassAsync(HalfWindow);
        t.Time.Advance(RoundTrip);
        await tuned.AnswerAsync();
        Assert.Equal(40_000, await tuned.PassAsync(Initial));

        t.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await tuned.PassAsync(tuned.Window / 2));

        Assert.Empty(tuned.Pings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_window_has_grown_by_is_given_back_with_its_stream(bool disposed)
    {
        await using var t = TunedWithBudget();
        var (first, second) = await PairAsync(t);
        await first.BurstAsync(HalfWindow);
        Assert.Equal(0, await second.BurstAsync(HalfWindow));

        if (disposed)
        {
            await t.Peer.SendAsync(Frame.Fin(first.Stream.Id));
            await first.Stream.DisposeAsync().Guarded();
            await t.Peer.ExpectAsync(Frame.Fin(first.Stream.Id));
        }
        else
        {
            first.Stream.Abort();
            await t.Peer.ExpectAsync(Frame.Rst(first.Stream.Id));
        }

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(Budget, await second.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task What_a_window_has_grown_by_is_kept_until_its_reader_knows_the_end()
    {
        await using var t = TunedWithBudget();
        var (first, second) = await PairAsync(t);
        await first.BurstAsync(HalfWindow);
        await t.Peer.SendAsync(Frame.Data(first.Stream.Id, [1]), Frame.Rst(first.Stream.Id));
        Assert.Equal(0, await second.BurstAsync(HalfWindow));

        await first.Stream.Input.CompleteAsync();

        Assert.Equal(Budget, await second.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task Nothing_is_taken_for_a_stream_that_the_peer_has_finished()
    {
        await using var t = TunedWithBudget();
        var (first, second) = await PairAsync(t);
        await t.Peer.SendAsync(Frame.Data(first.Stream.Id, Bytes.Pattern(Initial), FrameFlag.Fin));
        await first.Stream.Input.TakeAsync(HalfWindow);

        Assert.Equal(Budget, await second.BurstAsync(HalfWindow));
    }

    [Fact]
    public async Task A_stream_that_starts_with_more_takes_it_from_what_others_have_left()
    {
        await using var t = TunedWithBudget(options => options.InitialStreamWindowSize = Initial + 30_000);
        var first = await MeasuredAsync(t);

        Assert.Equal(Budget - 30_000, await first.PassAsync(first.Window / 2));

        var second = await OpenAsync(t);
        Assert.Equal(Initial, second.Window);
    }

    [Fact]
    public async Task Streams_that_wait_leave_a_quarter_to_one_that_has_to_grow()
    {
        await using var t = Tuned(configure: options =>
        {
            options.InitialStreamWindowSize = 2 * Initial;
            options.MaxSessionWindowGrowth = 4 * Initial;
        });
        var first = await MeasuredAsync(t);
        Assert.Equal(2 * Initial, (await OpenAsync(t)).Window);
        Assert.Equal(2 * Initial, (await OpenAsync(t)).Window);
        Assert.Equal(Initial, (await OpenAsync(t)).Window);

        Assert.Equal(Initial, await first.BurstAsync(Initial));
        Assert.Equal(0, await first.BurstAsync(3 * HalfWindow));
    }

    [Fact]
    public async Task Fixed_windows_take_all_of_it()
    {
        await using var t = Scenario.Client(options =>
        {
            options.FixWindows(3 * Initial);
            options.MaxSessionWindowGrowth = 3 * Initial;
        });

        Assert.Equal(3 * Initial, (await OpenAsync(t)).Window);
        Assert.Equal(2 * Initial, (await OpenAsync(t)).Window);
        Assert.Equal(Initial, (await OpenAsync(t)).Window);
    }

    [Fact]
    public async Task A_peer_that_looks_far_away_makes_windows_grow_by_the_budget_and_no_more()
    {
        const int Streams = 8;
        await using var t = Tuned(configure: options => options.MaxSessionWindowGrowth = 4 * 1024 * 1024);
        var streams = new List<TunedStream>();
        for (var i = 0; i < Streams; i++)
        {
            streams.Add(await OpenAsync(t));
            await streams[i].PassAsync(HalfWindow);
        }

        // It answers after an hour, so that whatever it does seems quick.
        t.Time.Advance(TimeSpan.FromHours(1));
        await t.Peer.SendAsync(Frame.Pong(streams[0].Pings.Dequeue()));
        for (var round = 0; round < 20; round++)
        {
            t.Time.Advance(TimeSpan.FromMinutes(1));
            foreach (var stream in streams)
            {
                await stream.PassAsync(stream.Window / 2);
            }
        }

        Assert.Equal((Streams * Initial) + (4 * 1024 * 1024), streams.Sum(stream => stream.Window));
    }

    // Both have had credit just now, and have not grown.
    private static async Task<(TunedStream First, TunedStream Second)> PairAsync(Scenario t)
    {
        var first = await MeasuredAsync(t);
        var second = await OpenAsync(t);
        t.Time.Advance(2 * RoundTrip);
        Assert.Equal(0, await first.BurstAsync(HalfWindow));
        Assert.Equal(0, await second.BurstAsync(HalfWindow));
        return (first, second);
    }

    private static Scenario TunedWithBudget(Action<YamuxOptions>? configure = null) => Tuned(configure: options =>
    {
        options.MaxSessionWindowGrowth = Budget;
        configure?.Invoke(options);
    });
}
