namespace Yamux.Tests.Limits;

/// <summary>
/// StreamDiscardTimeout: a peer that goes on to send on a stream that this end has closed is told to stop, but not before it has what it was sent.
/// </summary>
public class DiscardTimeoutTests
{
    private const int Window = 262_144;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    [Fact]
    public async Task By_default_what_is_sent_to_a_closed_stream_is_credited_until_StreamCloseTimeout()
    {
        await using var t = Scenario.Client();
        await CloseAsync(t);

        t.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        await t.Peer.SendAsync(Frame.Data(1, new byte[Window / 2]));

        await t.Peer.ExpectAsync(Frame.Credit(1, Window / 2));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
    }

    [Fact]
    public async Task A_peer_that_has_everything_and_sends_when_its_time_is_over_is_reset_and_not_a_tick_before()
    {
        await using var t = Scenario.Client(Configure);
        var stream = await ConfirmAsync(t);

        t.Time.Advance(Patience - Tick);
        await t.Peer.SendAsync(Frame.Data(1, [2]));
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(Tick);
        await t.Peer.ExpectNothingAsync(); // It says nothing, and so there is nothing to stop.
        await t.Peer.SendAsync(Frame.Data(1, new byte[100_000]));

        await t.Peer.ExpectAsync(Frame.Rst(1));
        Assert.Equal(0, t.Session.StreamCount);
        await Guard.CancelledAsync(stream.Closed);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamCloseTimeout, stream.Output.FlushAsync());
        await t.Peer.SendAsync(Frame.Data(1, new byte[100_000]));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_sent_meanwhile_is_credited()
    {
        await using var t = Scenario.Client(Configure);
        await ConfirmAsync(t);

        await t.Peer.SendAsync(Frame.Data(1, new byte[(Window / 2) - 1]));

        await t.Peer.ExpectAsync(Frame.Credit(1, Window / 2));
    }

    [Fact]
    public async Task A_peer_that_does_not_say_that_it_has_everything_is_not_reset()
    {
        await using var t = Scenario.Client(Configure);
        await AskAsync(t);

        t.Time.Advance(4 * Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2]), Frame.Data(1, [3]));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
    }

    [Fact]
    public async Task The_answer_to_another_ping_does_not_say_that_it_has_everything()
    {
        await using var t = Scenario.Client(Configure);
        var (_, ping) = await AskAsync(t);
        await t.Peer.SendAsync(Frame.Pong(0), Frame.Pong(ping.Length + 1));
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2]));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_peer_that_is_still_sent_something_is_not_asked_and_not_reset()
    {
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(Window + 1);
        stream.Output.Advance(Window + 1);
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.ReadDataAsync(1, Window);

        t.Time.Advance(2 * Patience);
        await t.Peer.SendAsync(Frame.Data(1, [1]));

        await t.Peer.ExpectNothingAsync();
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await t.Peer.ReadDataAsync(1, 1);
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await disposal.Guarded();
    }

    [Fact]
    public async Task The_ping_that_asks_stands_behind_the_bytes_and_FIN_and_RST_is_the_last()
    {
        await using var t = Scenario.Stalled(configure: Configure);
        var stream = await t.OpenAsync();
        var other = await t.OpenAsync();
        await other.Output.WriteAsync(new byte[60_000]).Guarded();
        await stream.Output.WriteAsync(Bytes.Pattern(100_000)).Guarded();
        var disposal = stream.DisposeAsync().AsTask();
        await t.Peer.SendAsync(Frame.Data(1, [1]));

        await t.Peer.ReadDataAsync(3, 60_000);
        Bytes.AssertSame(Bytes.Pattern(100_000), await t.Peer.ReadDataAsync(1, 100_000));
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await AnswerAsync(t, await ReadPingAsync(t));
        await disposal.Guarded();
        t.Time.Advance(Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2]));
        await t.Peer.ExpectAsync(Frame.Rst(1));
    }

    [Fact]
    public async Task A_stream_whose_output_is_open_is_not_reset_though_nobody_reads()
    {
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        await stream.Input.CompleteAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1]));
        t.Time.Advance(2 * Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2]));

        await t.Peer.ExpectNothingAsync();
        await stream.Output.WriteAsync(new byte[] { 3 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [3]));
    }

    [Fact]
    public async Task A_stream_whose_input_is_read_is_not_reset()
    {
        await using var t = Scenario.Client(Configure);
        var stream = await t.OpenAsync();
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        await t.Peer.SendAsync(Frame.Data(1, [1]));
        t.Time.Advance(2 * Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2], FrameFlag.Fin));

        Assert.Equal([1, 2], await stream.Input.TakeAllAsync());
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Data_that_ends_the_stream_needs_no_RST()
    {
        await using var t = Scenario.Client(Configure);
        await ConfirmAsync(t);

        t.Time.Advance(Patience);
        await t.Peer.SendAsync(Frame.Data(1, [2], FrameFlag.Fin));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task An_answer_that_comes_when_the_stream_has_ended_is_passed_over()
    {
        await using var t = Scenario.Client(Configure);
        var (_, ping) = await AskAsync(t);

        await t.Peer.SendAsync(Frame.Fin(1), Frame.Pong(ping.Length));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task Data_beyond_the_credit_is_an_error_on_a_stream_that_would_be_reset_too()
    {
        await using var t = Scenario.Client(Configure);
        await ConfirmAsync(t);
        t.Time.Advance(Patience);

        await t.Peer.SendAsync(Frame.DataHeader(1, Window));

        await t.ExpectProtocolErrorAsync("bytes of credit");
    }

    private static void Configure(YamuxOptions options) => options.StreamDiscardTimeout = Patience;

    private static async Task<YamuxStream> CloseAsync(Scenario t)
    {
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        return stream;
    }

    // The peer goes on to send, and is asked whether it has everything.
    private static async Task<(YamuxStream Stream, Frame Ping)> AskAsync(Scenario t)
    {
        var stream = await CloseAsync(t);
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        return (stream, await ReadPingAsync(t));
    }

    private static async Task<YamuxStream> ConfirmAsync(Scenario t)
    {
        var (stream, ping) = await AskAsync(t);
        await AnswerAsync(t, ping);
        return stream;
    }

    private static async Task<Frame> ReadPingAsync(Scenario t)
    {
        var ping = await t.Peer.ReadAsync();
        Assert.Equal(Frame.Ping(ping.Length), ping);
        return ping;
    }

    private static async Task AnswerAsync(Scenario t, Frame ping)
    {
        await t.Peer.SendAsync(Frame.Pong(ping.Length));
        await t.Peer.ExpectNothingAsync();
    }
}
