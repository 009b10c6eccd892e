namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": close of a session, and what is sent when the peer broke the protocol.</summary>
public class SessionCloseTests
{
    [Fact]
    public async Task Disposing_sends_GoAway_0_and_closes_the_transport()
    {
        await using var t = Scenario.Client();

        var dispose = t.Session.DisposeAsync();

        await t.Peer.ExpectCloseAsync();
        await dispose.Guarded();
        Assert.True(t.Session.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Disposing_sends_everything_that_is_queued_before_the_transport_is_closed()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(150_000);
        await stream.Output.WriteAsync(data).Guarded();
        await stream.Output.CompleteAsync();

        var dispose = t.Session.DisposeAsync().AsTask();

        Assert.Equal(data, await t.Peer.ReadDataAsync(1, data.Length));
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await t.Peer.ExpectCloseAsync();
        await dispose.Guarded();
    }

    [Fact]
    public async Task Disposing_takes_at_most_ConnectionWriteTimeout_when_the_transport_takes_nothing()
    {
        await using var t = Scenario.Stalled();
        t.ExpectsWarnings = true;
        await t.Session.OpenStreamAsync().Guarded();

        var dispose = t.Session.DisposeAsync().AsTask();
        t.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        await t.Peer.PeekAsync();
        Assert.False(dispose.IsCompleted);
        t.Time.Advance(TimeSpan.FromTicks(1));

        await dispose.Guarded();
        Assert.True(t.Session.Completion.IsCompleted);
    }

    [Fact]
    public async Task Disposing_twice_or_by_two_threads_sends_one_GoAway()
    {
        await using var t = Scenario.Client();

        var all = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await t.Session.DisposeAsync())));

        await t.Peer.ExpectCloseAsync();
        await all.Guarded();
        await t.Session.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task GoAway_is_sent_again_by_dispose_after_GoAwayAsync()
    {
        await using var t = Scenario.Client();

        await t.Session.GoAwayAsync().Guarded();
        await t.Session.GoAwayAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.GoAway(0));
        await t.Peer.ExpectNothingAsync();
        var dispose = t.Session.DisposeAsync();

        await t.Peer.ExpectCloseAsync();
        await dispose.Guarded();
    }

    [Fact]
    public async Task When_the_peer_broke_the_protocol_what_was_queued_is_flushed_with_GoAway_1_behind_it()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        var data = Bytes.Pattern(100_000);
        await stream.Output.WriteAsync(data).Guarded();

        await t.Peer.SendAsync(Frame.GoAway(0) with { StreamId = 5 });

        Assert.Equal(data, await t.Peer.ReadDataAsync(1, data.Length));
        await t.ExpectProtocolErrorAsync("GoAway frame came on stream 5");
    }

    [Fact]
    public async Task An_error_of_the_peer_that_reads_nothing_ends_the_session_after_ConnectionWriteTimeout()
    {
        await using var t = Scenario.Stalled();
        t.ExpectsWarnings = true;
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[1]).Guarded();
        var accept = t.Session.AcceptStreamAsync().AsTask();
        t.Time.Advance(TimeSpan.FromSeconds(1)); // So that the end of closing is not that of the write that hangs.

        await t.Peer.SendAsync(Frame.Ping(1) with { StreamId = 5 });
        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, accept);
        t.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(TimeSpan.FromMilliseconds(1)); // The session's timer was set for the write, and counts from there in whole milliseconds.

        await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, t.Session.Completion);
    }
}
