using System.Globalization;

namespace Yamux.Tests.Limits;

/// <summary>
/// A reader that examines and does not consume is lent more than its window, or it would wait for ever for a message that is larger. What it is
/// lent has bounds: 1 MiB a stream, and the session's growth.
/// </summary>
public class LoanTests
{
    private const int Window = 262_144;
    private const int MaxLoan = 1024 * 1024;

    [Fact]
    public async Task A_reader_that_keeps_everything_is_lent_1_MiB_and_then_told_which_option_bounds_it()
    {
        await using var t = Scenario.Server(options => options.FixWindows(Window));
        var stream = await t.AcceptAsync(1);

        var (sent, failure) = await FillAsync(t, stream);

        Assert.Equal(Window + MaxLoan, sent);
        Assert.Contains(nameof(YamuxOptions.InitialStreamWindowSize), failure.Message, StringComparison.Ordinal);
        Assert.Contains((Window + MaxLoan).ToString(CultureInfo.InvariantCulture), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_that_failure_the_reader_can_consume_and_go_on()
    {
        await using var t = Scenario.Server(options => options.FixWindows(Window));
        var stream = await t.AcceptAsync(1);
        var (sent, _) = await FillAsync(t, stream);

        var read = await stream.Input.ReadAsync().Guarded();

        Assert.Equal(sent, read.Buffer.Length);
        stream.Input.AdvanceTo(read.Buffer.End);
        await t.Peer.ExpectAsync(Frame.Credit(1, Window));
        await t.Peer.SendAsync(Frame.Data(1, [7]));
        Assert.Equal([7], await stream.Input.TakeAsync(1));
    }

    [Fact]
    public async Task What_readers_are_lent_comes_out_of_the_growth_of_the_session()
    {
        await using var t = Scenario.Server(options =>
        {
            options.FixWindows(Window);
            options.MaxSessionWindowGrowth = MaxLoan + 1000;
        });
        var first = await t.AcceptAsync(1);
        var second = await t.AcceptAsync(3);

        Assert.Equal(Window + MaxLoan, (await FillAsync(t, first)).Sent);
        Assert.Equal(Window + 1000, (await FillAsync(t, second)).Sent);
    }

    [Theory]
    [InlineData("consumed")]
    [InlineData("completed")]
    [InlineData("aborted")]
    public async Task What_a_reader_was_lent_goes_back_to_the_session(string how)
    {
        await using var t = Scenario.Server(options =>
        {
            options.FixWindows(Window);
            options.MaxSessionWindowGrowth = MaxLoan;
        });
        var first = await t.AcceptAsync(1);
        var second = await t.AcceptAsync(3);
        await FillAsync(t, first);

        switch (how)
        {
            case "consumed":
                var read = await first.Input.ReadAsync().Guarded();
                first.Input.AdvanceTo(read.Buffer.End);
                await t.Peer.ExpectAsync(Frame.Credit(1, Window));
                break;
            case "completed":
                await first.Input.CompleteAsync();
                await t.Peer.ExpectAsync(Frame.Credit(1, Window));
                break;
            default:
                first.Abort();
                await t.Peer.ExpectAsync(Frame.Rst(1));
                break;
        }

        Assert.Equal(Window + MaxLoan, (await FillAsync(t, second)).Sent);
    }

    [Fact]
    public async Task A_bad_application_cannot_be_made_to_hold_more_by_sending_in_other_pieces()
    {
        await using var t = Scenario.Server(options => options.FixWindows(Window));
        var stream = await t.AcceptAsync(1);

        await FillAsync(t, stream, piece: 50_001);

        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await t.ExpectProtocolErrorAsync("had 0 bytes of credit");
    }

    // The peer sends what it has credit for; the reader examines all of it, consumes nothing, and asks for more, until it is told that nothing more can come.
    private static async Task<(int Sent, YamuxException Failure)> FillAsync(Scenario t, YamuxStream stream, int piece = int.MaxValue)
    {
        var sent = 0;
        for (var credit = Window; ; credit = (int)(await t.Peer.ReadAsync()).Length)
        {
            while (credit > 0)
            {
                var count = Math.Min(credit, piece);
                await t.Peer.SendAsync(Frame.Data(stream.Id, Bytes.Pattern(count)));
                sent += count;
                credit -= count;
                await stream.Input.ExamineAsync(sent);
            }

            var more = stream.Input.ReadAsync().AsTask();
            if (more.IsFaulted)
            {
                return (sent, await Guard.FailsWithAsync(YamuxErrorCode.ReadLimitExceeded, more));
            }

            stream.Input.CancelPendingRead();
            stream.Input.AdvanceTo((await more.Guarded()).Buffer.Start);
        }
    }
}
