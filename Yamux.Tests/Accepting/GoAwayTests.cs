namespace Yamux.Tests.Accepting;

/// <summary>WIRE, "What we must accept": GoAway(0), and the codes that end a session.</summary>
public class GoAwayTests
{
    [Fact]
    public async Task After_the_peers_GoAway_0_we_open_no_more()
    {
        await using var t = Scenario.Client();

        await t.Peer.SendAsync(Frame.GoAway(0));
        await t.Peer.ExpectNothingAsync();

        var error = await Guard.FailsWithAsync(YamuxErrorCode.GoAway, t.Session.OpenStreamAsync());
        Assert.Contains("the peer has sent GoAway", error.Message, StringComparison.Ordinal);
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_peers_GoAway_0_ends_an_open_that_waits()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        var open = t.Session.OpenStreamAsync().AsTask();

        await t.Peer.SendAsync(Frame.GoAway(0));

        await Guard.FailsWithAsync(YamuxErrorCode.GoAway, open);
    }

    [Fact]
    public async Task After_the_peers_GoAway_0_what_runs_goes_on()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.GoAway(0), Frame.Data(1, [1]));

        Assert.Equal([1], await stream.Input.TakeAsync(1));
        await stream.Output.WriteAsync(new byte[] { 2 }).Guarded();
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [2]), Frame.Fin(1));
        Assert.False(t.Session.Completion.IsCompleted);
    }

    [Fact]
    public async Task After_the_peers_GoAway_0_AcceptStream_hands_out_what_the_peer_had_opened()
    {
        await using var t = Scenario.Server();

        await t.Peer.SendAsync(Frame.Syn(1), Frame.GoAway(0));
        await t.Peer.ExpectNothingAsync();

        await t.AcceptOpenedAsync(1);
    }

    [Fact]
    public async Task After_the_peers_GoAway_0_and_its_end_AcceptStream_hands_out_what_it_had_opened_and_then_null()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Data(1, [4], FrameFlag.Fin), Frame.Data(3, [5], FrameFlag.Syn), Frame.GoAway(0));

        t.Peer.CloseOutput();
        await t.Session.Completion.Guarded();

        var whole = await t.Session.AcceptStreamAsync().Guarded();
        Assert.Equal([4], await whole!.Input.TakeAllAsync());
        var broken = await t.Session.AcceptStreamAsync().Guarded();
        Assert.Equal([5], await broken!.Input.TakeAsync(1));
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, broken.Input.ReadAsync());
        Assert.Null(await t.Session.AcceptStreamAsync().Guarded());
        Assert.Null(await t.Session.AcceptStreamAsync().Guarded());
    }

    [Theory]
    [InlineData(1u, YamuxErrorCode.RemoteProtocolError)]
    [InlineData(2u, YamuxErrorCode.RemoteInternalError)]
    [InlineData(3u, YamuxErrorCode.RemoteInternalError)]
    [InlineData(uint.MaxValue, YamuxErrorCode.RemoteInternalError)]
    public async Task GoAway_with_another_code_ends_the_session_as_an_error_of_the_peer(uint code, YamuxErrorCode expected)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.GoAway(code));

        var error = await Guard.FailsWithAsync(expected, t.Session.Completion);
        Assert.Contains($"GoAway {code}", error.Message, StringComparison.Ordinal);
        Assert.Equal([1], await stream.Input.TakeAsync(1));
        await Guard.FailsWithAsync(expected, stream.Input.ReadAsync());
        await Guard.FailsWithAsync(expected, stream.Output.WriteAsync(new byte[1]));
        await Guard.FailsWithAsync(expected, t.Session.OpenStreamAsync());
        await Guard.FailsWithAsync(expected, t.Session.PingAsync());
        await Guard.FailsWithAsync(expected, t.Session.AcceptStreamAsync());
        await t.Peer.ExpectDroppedAsync();
    }

    [Fact]
    public async Task A_peer_that_closes_its_side_behind_GoAway_and_a_ping_gets_the_answer_before_the_end()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.GoAway(0), Frame.Ping(7));
        var stream = (await t.Session.AcceptStreamAsync().Guarded())!;
        t.Peer.CloseOutput();
        await Guard.CancelledAsync(stream.Closed);

        // The stream may be accepted before the loop has come to the ping, or behind it.
        Frame[] answers = [await t.Peer.ReadAsync(), await t.Peer.ReadAsync()];
        Assert.Equal([Frame.Ack(1), Frame.Pong(7)], answers.OrderBy(answer => answer.Kind));
        await t.Peer.ExpectEndAsync();
        await t.Session.Completion.Guarded();
    }

    [Fact]
    public async Task One_that_does_not_take_it_is_left_after_ConnectionWriteTimeout()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.GoAway(0), Frame.Ping(7));
        var stream = (await t.Session.AcceptStreamAsync().Guarded())!;
        t.Peer.CloseOutput();
        await Guard.CancelledAsync(stream.Closed);

        t.Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(TimeSpan.FromMilliseconds(1)); // What a timer can tell apart.

        await t.Session.Completion.Guarded();
    }

    [Fact]
    public async Task After_our_GoAway_what_the_peer_opens_is_refused_and_what_it_had_opened_is_accepted()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1));
        await t.Peer.ExpectNothingAsync();

        await t.Session.GoAwayAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.GoAway(0));
        await t.Peer.SendAsync(Frame.Data(3, [1, 2, 3], FrameFlag.Syn), Frame.Fin(3));

        await t.Peer.ExpectAsync(Frame.Rst(3));
        await t.AcceptOpenedAsync(1);
        await Guard.FailsWithAsync(YamuxErrorCode.GoAway, t.Session.OpenStreamAsync());
    }

    [Fact]
    public async Task Our_GoAway_ends_an_open_that_waits()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        var open = t.Session.OpenStreamAsync().AsTask();

        await t.Session.GoAwayAsync().Guarded();

        var error = await Guard.FailsWithAsync(YamuxErrorCode.GoAway, open);
        Assert.Contains("this end has sent GoAway", error.Message, StringComparison.Ordinal);
    }
}
