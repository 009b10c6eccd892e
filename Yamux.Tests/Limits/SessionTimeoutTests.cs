namespace Yamux.Tests.Limits;

/// <summary>WIRE, "Limits": ConnectionWriteTimeout and the keepalive, one tick before the bound and at it.</summary>
public class SessionTimeoutTests
{
    // Of the engine's timer, which counts milliseconds as the system's does.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task ConnectionWriteTimeout_ends_the_session_after_10_seconds_and_not_a_tick_before()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.Session.OpenStreamAsync().Guarded();
        var read = stream.Input.ReadAsync().AsTask();
        await t.WriteStartedAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10) - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, t.Session.Completion);
        Assert.Contains("00:00:10", error.Message, StringComparison.Ordinal);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, read);
        await t.Peer.ExpectDroppedAsync();
    }

    [Fact]
    public async Task ConnectionWriteTimeout_begins_anew_when_the_transport_takes_something()
    {
        await using var t = Scenario.Stalled();
        await t.Session.OpenStreamAsync().Guarded();
        await t.WriteStartedAsync();
        await t.Session.OpenStreamAsync().Guarded();
        t.Time.Advance(TimeSpan.FromSeconds(10) - Tick);

        await t.Peer.ExpectAsync(Frame.Syn(1));
        await t.Peer.PeekAsync(); // The next write has begun, and so this one is known to have ended.
        t.Time.Advance(Tick);
        await t.Time.TimerSetAsync(TimeSpan.FromSeconds(10) - Tick, TimeSpan.FromSeconds(10)); // Its bytes can be seen before its time begins.
        t.Time.Advance(TimeSpan.FromSeconds(10) - (2 * Tick));

        await t.Peer.ExpectAsync(Frame.Syn(3));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_ping_is_sent_every_30_seconds_and_not_a_tick_before()
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);

        for (var i = 0; i < 3; i++)
        {
            t.Time.Advance(TimeSpan.FromSeconds(30) - Tick);
            await t.Peer.ExpectNothingAsync();
            t.Time.Advance(Tick);
            var ping = await t.Peer.ReadAsync();
            Assert.Equal(Frame.Ping(ping.Length), ping);
            await t.Peer.SendAsync(Frame.Pong(ping.Length));
            await t.Peer.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task A_keepalive_that_nothing_answers_ends_the_session_after_10_seconds_and_not_a_tick_before()
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);

        t.Time.Advance(TimeSpan.FromSeconds(10) - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
        Assert.Contains("00:00:10", error.Message, StringComparison.Ordinal);
        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, stream.Input.ReadAsync());
        await t.Peer.ExpectDroppedAsync();
    }

    [Fact]
    public async Task Any_frame_counts_as_an_answer_to_the_keepalive()
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(30));
        await t.Peer.ReadAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await stream.Input.TakeAsync(1);
        t.Time.Advance(TimeSpan.FromSeconds(10));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_frame_that_came_before_the_ping_is_no_answer_to_it()
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);
        t.Time.Advance(TimeSpan.FromSeconds(30) - Tick);
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(Tick);
        await t.Peer.ReadAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10));

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task Pings_go_on_while_an_answer_is_still_awaited_and_do_not_extend_its_time()
    {
        await using var t = Scenario.Client(options =>
        {
            options.EnableKeepAlive = true;
            options.KeepAliveInterval = TimeSpan.FromSeconds(4);
        });

        t.Time.Advance(TimeSpan.FromSeconds(4));
        var first = await t.Peer.ReadAsync();
        t.Time.Advance(TimeSpan.FromSeconds(4));
        var second = await t.Peer.ReadAsync();
        Assert.NotEqual(first.Length, second.Length);
        t.Time.Advance(TimeSpan.FromSeconds(4));
        await t.Peer.ReadAsync();
        t.Time.Advance(TimeSpan.FromSeconds(2) - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task Without_keepalive_nothing_is_sent_however_long_the_session_is_idle()
    {
        await using var t = Scenario.Client(options => options.EnableKeepAlive = false);

        t.Time.Advance(TimeSpan.FromDays(2));

        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_keepalive_whose_timeout_is_infinite_pings_and_never_gives_up()
    {
        await using var t = Scenario.Client(options =>
        {
            options.EnableKeepAlive = true;
            options.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
        });

        t.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
        t.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);

        await t.Peer.ExpectNothingAsync();
    }
}
