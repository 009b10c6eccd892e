namespace Yamux.Tests.Limits;

/// <summary>PingTimeout: it ends the ping that was not answered, and nothing else.</summary>
public class PingTimeoutTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_ping_fails_after_10_seconds_and_not_a_tick_before_and_the_session_goes_on()
    {
        await using var t = Scenario.Client();
        var ping = t.Session.PingAsync().AsTask();
        await t.Peer.ReadAsync();

        t.Time.Advance(TimeSpan.FromSeconds(10) - Tick);
        await t.Peer.ExpectNothingAsync();
        Assert.False(ping.IsCompleted);
        t.Time.Advance(Tick);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.PingTimeout, ping);
        Assert.Contains("00:00:10", error.Message, StringComparison.Ordinal);
        await AnswerNextPingAsync(t);
        await t.OpenAsync();
    }

    [Fact]
    public async Task The_answer_to_a_ping_that_has_failed_is_passed_over()
    {
        await using var t = Scenario.Client();
        var late = t.Session.PingAsync().AsTask();
        var request = await t.Peer.ReadAsync();
        t.Time.Advance(TimeSpan.FromSeconds(10));
        await Guard.FailsWithAsync(YamuxErrorCode.PingTimeout, late);
        var next = t.Session.PingAsync().AsTask();
        var second = await t.Peer.ReadAsync();

        await t.Peer.SendAsync(Frame.Pong(request.Length));
        await t.Peer.ExpectNothingAsync();

        Assert.False(next.IsCompleted);
        await t.Peer.SendAsync(Frame.Pong(second.Length));
        Assert.Equal(TimeSpan.Zero, await next.Guarded());
    }

    [Fact]
    public async Task A_ping_whose_timeout_is_infinite_waits_for_its_answer()
    {
        await using var t = Scenario.Client(options => options.PingTimeout = Timeout.InfiniteTimeSpan);
        var ping = t.Session.PingAsync().AsTask();
        var request = await t.Peer.ReadAsync();

        t.Time.Advance(TimeSpan.FromDays(1));
        await t.Peer.SendAsync(Frame.Pong(request.Length));

        Assert.Equal(TimeSpan.FromDays(1), await ping.Guarded());
    }

    [Fact]
    public async Task A_ping_can_be_cancelled_before_its_time_is_over()
    {
        await using var t = Scenario.Client();
        using var cancellation = new CancellationTokenSource();
        var ping = t.Session.PingAsync(cancellation.Token).AsTask();
        await t.Peer.ReadAsync();

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ping.Guarded());
        Assert.Equal(cancellation.Token, error.CancellationToken);
        await AnswerNextPingAsync(t);
    }

    [Theory]
    [InlineData("answered")]
    [InlineData("timed out")]
    [InlineData("cancelled")]
    [InlineData("session ended")]
    public async Task A_ping_leaves_no_timer_behind_however_it_ends(string how)
    {
        await using var t = Scenario.Client();
        var timers = t.Time.LiveTimers;
        using var cancellation = new CancellationTokenSource();
        var ping = t.Session.PingAsync(cancellation.Token).AsTask();
        var request = await t.Peer.ReadAsync();
        Assert.Equal(timers + 1, t.Time.LiveTimers);

        switch (how)
        {
            case "answered":
                await t.Peer.SendAsync(Frame.Pong(request.Length));
                break;
            case "timed out":
                t.Time.Advance(TimeSpan.FromSeconds(10));
                break;
            case "cancelled":
                await cancellation.CancelAsync();
                break;
            default:
                t.Session.Abort();
                await t.Session.Completion.Guarded();
                timers = 0;
                break;
        }

        await Guard.EndedAsync(ping);
        Assert.Equal(timers, t.Time.LiveTimers);
    }

    private static async Task AnswerNextPingAsync(Scenario t)
    {
        var ping = t.Session.PingAsync().AsTask();
        var request = await t.Peer.ReadAsync();
        await t.Peer.SendAsync(Frame.Pong(request.Length));
        await ping.Guarded();
    }
}
