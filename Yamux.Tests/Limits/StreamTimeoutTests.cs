namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": StreamOpenTimeout and StreamCloseTimeout, one tick before the bound and at it.</summary>
public class StreamTimeoutTests
{
    // Of the engine's timer, which counts milliseconds as the system's does.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task StreamOpenTimeout_fails_the_stream_after_75_seconds_and_not_a_tick_before()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var read = stream.Input.ReadAsync().AsTask();

        t.Time.Advance(TimeSpan.FromSeconds(75) - Tick);
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
        t.Time.Advance(Tick);

        await t.Peer.ExpectAsync(Frame.Rst(1));
        var error = await Guard.FailsWithAsync(YamuxErrorCode.StreamOpenTimeout, read);
        Assert.Contains("00:01:15", error.Message, StringComparison.Ordinal);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamOpenTimeout, stream.Output.WriteAsync(new byte[1]));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task StreamOpenTimeout_finds_a_stream_that_was_opened_when_those_before_it_had_been_acknowledged()
    {
        await using var t = Scenario.Client();
        await t.OpenUnacknowledgedAsync();
        await t.OpenUnacknowledgedAsync();
        await t.OpenUnacknowledgedAsync();
        await t.Peer.SendAsync(Frame.Ack(3), Frame.Ack(5));
        await t.Peer.ExpectNothingAsync();
        await t.OpenUnacknowledgedAsync();

        t.Time.Advance(TimeSpan.FromSeconds(75));

        await t.Peer.ExpectAsync(Frame.Rst(1), Frame.Rst(7));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task StreamOpenTimeout_fails_that_stream_and_no_other_and_not_the_session()
    {
        await using var t = Scenario.Client();
        await t.OpenUnacknowledgedAsync();
        var acknowledged = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(1));
        var later = await t.OpenUnacknowledgedAsync();

        t.Time.Advance(TimeSpan.FromSeconds(74));

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        await acknowledged.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await later.Output.WriteAsync(new byte[] { 2 }).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(3, [1]), Frame.Data(5, [2]));
        t.Time.Advance(TimeSpan.FromSeconds(1) - Tick);
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(Tick);
        await t.Peer.ExpectAsync(Frame.Rst(5));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task StreamOpenTimeout_also_ends_a_stream_that_we_have_closed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        await stream.DisposeAsync().Guarded();

        t.Time.Advance(TimeSpan.FromSeconds(75));

        await t.Peer.ExpectAsync(Frame.Fin(1), Frame.Rst(1));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task An_inbound_stream_that_nobody_accepts_does_not_time_out()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(TimeSpan.FromHours(1));

        await t.AcceptOpenedAsync(1);
    }

    [Fact]
    public async Task StreamCloseTimeout_resets_and_frees_the_stream_after_5_minutes_and_not_a_tick_before()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        t.Time.Advance(TimeSpan.FromMinutes(5) - Tick);
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
        t.Time.Advance(Tick);

        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        Assert.Equal(0, t.Session.StreamCount);
        await Guard.CancelledAsync(stream.Closed);
    }

    [Fact]
    public async Task StreamCloseTimeout_does_not_matter_when_the_peer_closes_in_time()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        t.Time.Advance(TimeSpan.FromMinutes(5) - Tick);

        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromHours(1));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_stream_that_is_half_closed_does_not_time_out()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await stream.Output.CompleteAsync();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        t.Time.Advance(TimeSpan.FromHours(1));
        await t.Peer.SendAsync(Frame.Data(1, [1], FrameFlag.Fin));

        Assert.Equal([1], await stream.Input.TakeAllAsync());
    }

    [Fact]
    public async Task StreamCloseTimeout_ends_a_disposal_that_waits_for_the_credit_of_a_peer_that_reads_no_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(Bytes.Pattern(262_144)).Guarded();
        await t.Peer.ReadDataAsync(1, 262_144);
        stream.Output.GetSpan(1)[0] = 1;
        stream.Output.Advance(1);
        await t.Peer.SendAsync(Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();

        var dispose = stream.DisposeAsync().AsTask();
        t.Time.Advance(TimeSpan.FromMinutes(5) - Tick);
        Assert.False(dispose.IsCompleted);
        t.Time.Advance(Tick);

        await dispose.Guarded();
        await t.Peer.ExpectAsync(Frame.Rst(1));
        Assert.Equal(0, t.Session.StreamCount);
    }

    [Fact]
    public async Task Timeouts_that_are_infinite_never_come()
    {
        await using var t = Scenario.Client(options =>
        {
            options.StreamOpenTimeout = Timeout.InfiniteTimeSpan;
            options.StreamCloseTimeout = Timeout.InfiniteTimeSpan;
        });
        var stream = await t.OpenUnacknowledgedAsync();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));

        t.Time.Advance(TimeSpan.FromDays(40));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal(1, t.Session.StreamCount);
    }
}
