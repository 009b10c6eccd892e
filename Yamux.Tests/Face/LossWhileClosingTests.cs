namespace Yamux.Tests.Face;

/// <summary>
/// The connection is lost in the instant in which a session is closed whose peer has said GoAway: what happened first is told, and what had come before can be read.
/// </summary>
public class LossWhileClosingTests
{
    private const uint Unfinished = 1;
    private const uint Finished = 3;
    private readonly TestTime _time = new();

    /// <summary>Over Kestrel the completion of the output makes the input fail. At once, or while the rest of the closing is done.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    public async Task An_input_that_fails_behind_the_peers_answer_is_no_loss(int size)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var peer = new ScriptedPeer(theirs);
        Frame[] before = [Frame.Syn(Unfinished), Frame.Syn(Finished), Frame.GoAway(0), .. NewData(size)];
        var upToAnswer = before.Sum(frame => frame.ToBytes().Length) + (2 * Frame.HeaderSize); // And the pings of the barrier.
        await using var session = NewSession(new FaultyTransport(ours, new TransportFault(FaultKind.Fail, FaultSide.Read, upToAnswer + Frame.HeaderSize)));
        await peer.SendAsync(before);
        var (unfinished, finished) = await AcceptAsync(session, peer);

        var closing = session.CloseAsync(TimeSpan.Zero).AsTask();
        await AnswerAsync(peer);
        await closing.Guarded();

        Assert.True(session.Completion.IsCompletedSuccessfully);
        await ExpectContentAsync(unfinished, finished, size, YamuxErrorCode.SessionClosed);
    }

    [Fact]
    public async Task An_input_that_fails_before_the_peers_answer_is_told_as_the_loss_that_it_is()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var peer = new ScriptedPeer(theirs);
        await using var session = NewSession(ours);
        await peer.SendAsync([Frame.Syn(Unfinished), Frame.Syn(Finished), Frame.GoAway(0), .. NewData(100)]);
        var (unfinished, finished) = await AcceptAsync(session, peer);

        var closing = session.CloseAsync(TimeSpan.Zero).AsTask();
        await ReadCloseAsync(peer);
        peer.CloseOutput(new IOException("reset"));

        var loss = await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, closing);
        Assert.Contains("reset", loss.Message, StringComparison.Ordinal);
        Assert.True(session.Completion.IsCompletedSuccessfully); // It was closed first, and its streams tell that.
        await ExpectContentAsync(unfinished, finished, 100, YamuxErrorCode.SessionClosed);
    }

    [Fact]
    public async Task An_input_that_has_failed_before_the_session_is_closed_is_what_ended_it()
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var peer = new ScriptedPeer(theirs);
        await using var session = NewSession(ours);
        await peer.SendAsync([Frame.Syn(Unfinished), Frame.Syn(Finished), Frame.GoAway(0), .. NewData(100)]);
        var (unfinished, finished) = await AcceptAsync(session, peer);

        peer.CloseOutput(new IOException("reset"));
        await Guard.CancelledAsync(unfinished.Closed);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.CloseAsync(TimeSpan.Zero).AsTask());

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.Completion);
        await ExpectContentAsync(unfinished, finished, 100, YamuxErrorCode.ConnectionLost);
    }

    /// <summary>A socket tells a reset once: where a write was told, the input looks like the peer's own end.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_end_that_was_a_reset_is_a_loss_unless_the_peer_had_said_GoAway(bool saidGoAway)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var peer = new ScriptedPeer(theirs);
        await using var session = NewSession(new RecordingTransport(ours) { SaysReset = true });
        await peer.SendAsync([Frame.Syn(Unfinished), Frame.Syn(Finished), .. saidGoAway ? (Frame[])[Frame.GoAway(0)] : [], .. NewData(100)]);
        var (unfinished, finished) = await AcceptAsync(session, peer);

        peer.CloseOutput();

        if (saidGoAway)
        {
            await session.Completion.Guarded();
        }
        else
        {
            await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.Completion);
        }

        await ExpectContentAsync(unfinished, finished, 100, YamuxErrorCode.ConnectionLost);
    }

    private YamuxSession NewSession(System.IO.Pipelines.IDuplexPipe transport)
    {
        var options = new YamuxOptions { TimeProvider = _time, EnableKeepAlive = false };
        options.FixWindows(262_144);
        return YamuxSession.Create(transport, YamuxRole.Server, options);
    }

    private static Frame[] NewData(int size)
        => [Frame.Data(Unfinished, Bytes.Pattern(size)), Frame.Data(Finished, Bytes.Pattern(100), FrameFlag.Fin)];

    // All that was sent has been dealt with when they are returned.
    private static async Task<(YamuxStream Unfinished, YamuxStream Finished)> AcceptAsync(YamuxSession session, ScriptedPeer peer)
    {
        var unfinished = await session.AcceptStreamAsync().Guarded();
        var finished = await session.AcceptStreamAsync().Guarded();
        await peer.ExpectAsync(Frame.Ack(Unfinished), Frame.Ack(Finished));
        await peer.ExpectNothingAsync();
        return (unfinished!, finished!);
    }

    private static async Task<Frame> ReadCloseAsync(ScriptedPeer peer)
    {
        await peer.ExpectAsync(Frame.GoAway(0), Frame.GoAway(0)); // What CloseAsync begins with, and what it ends with.
        var ping = await peer.ReadAsync();
        Assert.Equal(Frame.Ping(ping.Length), ping);
        return ping;
    }

    private static async Task AnswerAsync(ScriptedPeer peer)
    {
        var ping = await ReadCloseAsync(peer);
        await peer.SendAsync(Frame.Pong(ping.Length));
        await peer.ExpectEndAsync();
    }

    private static async Task ExpectContentAsync(YamuxStream unfinished, YamuxStream finished, int size, YamuxErrorCode code)
    {
        Bytes.AssertSame(Bytes.Pattern(size), await unfinished.Input.TakeAsync(size));
        await Guard.FailsWithAsync(code, unfinished.Input.ReadAsync());
        Bytes.AssertSame(Bytes.Pattern(100), await finished.Input.TakeAllAsync());
    }
}
