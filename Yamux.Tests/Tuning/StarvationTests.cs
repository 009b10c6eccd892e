using static Yamux.Tests.Tuning.TunedStream;

namespace Yamux.Tests.Tuning;

/// <summary>A reader that must see more than a window is lent half of it; what it consumes then repays that before the window grows.</summary>
public class StarvationTests
{
    [Fact]
    public async Task A_loan_is_repaid_before_the_window_grows()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        await LendAsync(t, tuned, held: Initial);

        await tuned.Stream.Input.TakeAsync(HalfWindow);
        await t.Peer.ExpectNothingAsync();
        await tuned.Stream.Input.TakeAsync(HalfWindow);

        // Half a window repaid, and half that is credited and has the window grown, to the greatest at once.
        await t.Peer.ExpectAsync(Frame.Credit(1, HalfWindow + (15 * Initial)));
    }

    [Fact]
    public async Task After_a_loan_and_growth_the_window_is_exact()
    {
        await using var t = Tuned(max: 2 * Initial);
        var tuned = await MeasuredAsync(t);
        await LendAsync(t, tuned, held: Initial);
        await tuned.Stream.Input.TakeAsync(Initial + HalfWindow);

        await t.Peer.ExpectAsync(Frame.Credit(1, Initial + Initial)); // All but the loan, and growth.
        await t.Peer.ReadAllAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(2 * Initial)), Frame.DataHeader(1, 1));
        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }

    [Fact]
    public async Task A_window_that_has_grown_lends_half_of_what_it_is()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        Assert.Equal(Initial, await tuned.PassAsync(HalfWindow));

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(2 * Initial)));
        await tuned.Stream.Input.ExamineAsync(2 * Initial);
        _ = t.EndsWithSession(tuned.Stream.Input.ReadAsync());

        await t.Peer.ExpectAsync(Frame.Credit(1, Initial));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_loan_grows_nothing()
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);

        await LendAsync(t, tuned, held: Initial);
        await LendAsync(t, tuned, held: Initial + HalfWindow);
        await LendAsync(t, tuned, held: 2 * Initial);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_of_large_messages_keeps_pace_if_it_consumes_within_two_round_trips_of_its_last_loan(bool inTime)
    {
        await using var t = Tuned();
        var tuned = await MeasuredAsync(t);
        for (var held = Initial; held < 4 * Initial; held += HalfWindow)
        {
            t.Time.Advance(RoundTrip);
            await LendAsync(t, tuned, held);
        }

        t.Time.Advance((2 * RoundTrip) - (inTime ? TimeSpan.FromTicks(1) : TimeSpan.Zero));
        await tuned.Stream.Input.TakeAsync(4 * Initial);

        await t.Peer.ExpectAsync(Frame.Credit(1, inTime ? 2u * Initial : Initial));
    }

    [Fact]
    public async Task Large_messages_and_growth_add_up()
    {
        await using var t = Tuned(max: 5_000_000);
        var tuned = await MeasuredAsync(t);
        var random = new Random(3);
        long sent = HalfWindow;
        long granted = Initial + HalfWindow;
        long consumed = HalfWindow;
        for (var i = 0; i < 60; i++)
        {
            var message = random.Next(1, 1_300_000);
            for (var held = 0; held < message;)
            {
                var piece = (int)Math.Min(message - held, granted - sent);
                Assert.True(piece > 0, $"A message of {message} bytes stalls at {held}.");
                await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(piece)));
                sent += piece;
                held += piece;
                if (held < message)
                {
                    await tuned.Stream.Input.ExamineAsync(held);
                    var more = tuned.Stream.Input.ReadAsync().AsTask();
                    granted += await GrantedAsync(t);
                    tuned.Stream.Input.CancelPendingRead();
                    tuned.Stream.Input.AdvanceTo((await more.Guarded()).Buffer.Start);
                }

                t.Time.Advance(RoundTrip / 4);
            }

            await tuned.Stream.Input.TakeAsync(message);
            consumed += message;
            granted += await GrantedAsync(t);
            Assert.InRange(granted - consumed, 1, 5_000_000);
        }

        Assert.InRange(granted - consumed, 2_500_001, 5_000_000); // It has grown to the greatest, and less than half waits to be credited.
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern((int)(granted - sent))), Frame.DataHeader(1, 1));
        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }

    // The reader has seen so much, keeps it, and asks for more: the peer gets half a window, sends that, and the reader has it.
    private static async Task LendAsync(Scenario t, TunedStream tuned, int held)
    {
        var piece = held == Initial ? Initial : HalfWindow;
        if (held == Initial)
        {
            await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(piece)));
        }

        await tuned.Stream.Input.ExamineAsync(held);
        var more = tuned.Stream.Input.ReadAsync().AsTask();
        await t.Peer.ExpectAsync(Frame.Credit(1, HalfWindow));
        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(HalfWindow)));
        var read = await more.Guarded();
        tuned.Stream.Input.AdvanceTo(read.Buffer.Start);
    }

    private static async Task<long> GrantedAsync(Scenario t)
        => (await t.Peer.ReadAllAsync()).Where(frame => frame.Kind == FrameKind.WindowUpdate).Sum(frame => frame.Length);
}
