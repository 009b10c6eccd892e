namespace Yamux.Tests.Face;

/// <summary>CloseAsync of a session tells what it has given up, whoever made it.</summary>
public class SessionCloseTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);
    private static readonly byte[] Data = Bytes.Pattern(60_000);

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_session_that_is_aborted_while_it_is_closed_tells_so(int drainSeconds)
    {
        await using var t = Scenario.Stalled();
        await FlushAsync(t);
        var closing = t.Session.CloseAsync(TimeSpan.FromSeconds(drainSeconds)).AsTask();

        var reason = new InvalidOperationException("no time");
        t.Session.Abort(reason);

        var error = await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, closing);
        Assert.Same(reason, error.InnerException);
    }

    [Fact]
    public async Task So_it_does_where_another_caller_has_cut_his_own_closing_short()
    {
        await using var t = Scenario.Stalled();
        await FlushAsync(t);
        using var cut = new CancellationTokenSource();
        var closing = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        var hasty = t.Session.CloseAsync(TimeSpan.Zero, cut.Token).AsTask();

        await cut.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hasty.Guarded());
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, closing);
    }

    [Fact]
    public async Task A_session_that_is_aborted_when_the_peer_has_confirmed_was_closed()
    {
        await using var t = Scenario.Client();
        var closing = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.AnswerCloseAsync();
        await closing.Guarded();

        t.Session.Abort();

        await t.Session.CloseAsync(TimeSpan.Zero).Guarded();
    }

    /// <summary>As TLS fails to tell its end now and then, while the peer sends, or closes too.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transport_whose_sending_side_could_not_be_ended_has_lost_nothing_that_the_peer_confirms_or_ends_behind(bool confirms)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var shut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var transport = new RecordingTransport(ours)
        {
            ShutdownSend = _ =>
            {
                shut.SetResult();
                throw new IOException("the cable");
            },
        };
        var log = new CollectingLogger();
        var session = YamuxSession.Create(transport, YamuxRole.Client, logger: log);
        var peer = new ScriptedPeer(theirs);
        var closing = session.CloseAsync(TimeSpan.Zero).AsTask();
        await shut.Task.Guarded();

        if (confirms)
        {
            await peer.AnswerCloseAsync();
        }
        else
        {
            peer.CloseOutput();
        }

        await closing.Guarded();
        log.AssertNoWarnings();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_fails_behind_our_own_end_is_no_loss_where_the_peer_ends_in_order(bool asks)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var shut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var transport = new RecordingTransport(ours)
        {
            ShutdownSend = _ =>
            {
                ours.Output.Complete();
                shut.SetResult();
                return new(true);
            },
        };
        var log = new CollectingLogger();
        var session = YamuxSession.Create(transport, YamuxRole.Client, new YamuxOptions { EnableKeepAlive = false }, log);
        var peer = new ScriptedPeer(theirs);
        var closing = session.CloseAsync(TimeSpan.Zero).AsTask();
        await shut.Task.Guarded();

        if (asks)
        {
            await peer.SendAsync(Frame.Ping(77)); // It crosses our end.
        }

        while (await peer.TryReadAsync() is not null)
        {
            // All, to our end.
        }

        peer.CloseOutput();

        await closing.Guarded();
        log.AssertNoWarnings();
    }

    [Fact]
    public async Task A_transport_that_is_slow_to_be_released_is_no_loss()
    {
        var time = new TestTime();
        var (ours, theirs) = DuplexPipe.CreatePair();
        var disposing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var transport = new RecordingTransport(ours)
        {
            Disposal = () =>
            {
                disposing.SetResult();
                return new ValueTask(new TaskCompletionSource().Task);
            },
        };
        var log = new CollectingLogger();
        var session = YamuxSession.Create(transport, YamuxRole.Client, new YamuxOptions { TimeProvider = time, EnableKeepAlive = false }, log);
        var peer = new ScriptedPeer(theirs);
        var closing = session.CloseAsync(TimeSpan.Zero).AsTask();
        await peer.ExpectAsync(Frame.GoAway(0), Frame.GoAway(0));
        await peer.ReadAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        peer.CloseOutput(); // In order, behind everything.
        await disposing.Task.Guarded();

        time.Advance(TimeSpan.FromSeconds(9)); // The end of what the peer has for its answer.
        await time.TimerSetAsync(TimeSpan.FromSeconds(1)); // And that of what the transport has.
        time.Advance(TimeSpan.FromSeconds(1));

        await closing.Guarded();
        log.AssertNoWarnings();
    }

    [Fact]
    public async Task A_peer_that_had_only_said_that_it_drains_and_is_lost_has_lost_what_was_flushed()
    {
        await using var t = Scenario.Stalled();
        t.ExpectsWarnings = true;
        await t.Peer.SendAsync(Frame.GoAway(0));
        await Guard.CancelledAsync(t.Session.GoAwayReceived);
        await t.Peer.SendAsync(Frame.Syn(2));
        var stream = await t.AcceptOpenedAsync(2);
        await stream.WriteAsync(Data).Guarded();
        await t.Peer.PeekAsync();

        var closing = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        t.Peer.Close();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, closing);
        t.Log.AssertWarned("Not all that was flushed may have arrived");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_has_closed_the_session_too_may_reset_the_last_word(bool closesFirst)
    {
        await using var t = Scenario.Client();
        var closing = closesFirst ? null : t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.SendAsync(Frame.GoAway(0));
        await Guard.CancelledAsync(t.Session.GoAwayReceived);

        t.Peer.CloseOutput(new IOException("reset"));
        if (closesFirst)
        {
            await t.Session.Completion.Guarded();
        }

        await (closing ?? t.Session.CloseAsync(TimeSpan.Zero).AsTask()).Guarded();
    }

    [Fact]
    public async Task A_peer_that_has_closed_the_session_too_need_not_take_the_last_word()
    {
        await using var t = Scenario.Stalled();
        var closing = t.Session.CloseAsync(TimeSpan.Zero).AsTask();
        await t.Peer.PeekAsync();

        await t.Peer.SendAsync(Frame.GoAway(0));
        t.Peer.Close();

        await closing.Guarded();
    }

    [Fact]
    public async Task A_peer_that_closes_its_side_while_the_session_drains_gets_all_that_was_flushed()
    {
        await using var t = Scenario.Stalled();
        await FlushAsync(t);
        var closing = t.Session.CloseAsync(Drain).AsTask();

        t.Peer.CloseOutput();
        await Guard.EndedAsync(t.Session.AcceptStreamAsync().AsTask());

        Assert.Equal(FrameFlag.Syn, (await t.Peer.ReadAsync()).Flags);
        var frames = new List<Frame>();
        while (await t.Peer.TryReadAsync() is { } frame)
        {
            frames.Add(frame);
        }

        // GoAway is small: it stands before what of the data was still queued.
        Assert.Equal(Frame.GoAway(0), Assert.Single(frames, frame => frame.Kind != FrameKind.Data));
        Assert.Equal(Data, frames.SelectMany(frame => frame.Kind == FrameKind.Data ? frame.Payload : []));
        await closing.Guarded();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_reads_nothing_then_is_told_of(bool saysGoAway)
    {
        await using var t = Scenario.Stalled();
        await FlushAsync(t);
        var closing = t.Session.CloseAsync(Drain).AsTask();
        t.Time.Advance(TimeSpan.FromSeconds(1)); // So that the end of closing is not that of the write that hangs.

        await t.Peer.SendRawAsync(saysGoAway ? Frame.GoAway(0).ToBytes() : default);
        t.Peer.CloseOutput();
        await Guard.EndedAsync(t.Session.AcceptStreamAsync().AsTask());
        t.Time.Advance(TimeSpan.FromSeconds(10) + TimeSpan.FromMilliseconds(1)); // What a timer can tell apart.

        await Assert.ThrowsAsync<YamuxException>(() => closing.Guarded());
        Assert.True(t.Session.Completion.IsCompletedSuccessfully);
    }

    // The transport has taken nothing of it yet.
    private static async Task FlushAsync(Scenario t)
    {
        var stream = await t.Session.OpenStreamAsync().Guarded();
        await stream.WriteAsync(Data).Guarded();
        await t.Peer.PeekAsync();
    }
}
