namespace Yamux.Tests.Face;

/// <summary>YamuxStream.Acknowledged: whether the peer has taken a stream of ours.</summary>
public class AcknowledgedTests
{
    public static TheoryData<string> Asked => ["before", "after"];

    [Theory]
    [InlineData("ACK")]
    [InlineData("credit")]
    [InlineData("data")]
    [InlineData("empty data")]
    [InlineData("FIN")]
    [InlineData("data with FIN and ACK")]
    public async Task Any_frame_of_the_peers_on_the_stream_but_RST_acknowledges_it(string which)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var other = await t.OpenUnacknowledgedAsync();
        await t.Peer.ExpectNothingAsync();
        Assert.False(stream.Acknowledged.IsCompleted);

        await t.Peer.SendAsync(which switch
        {
            "ACK" => Frame.Ack(1),
            "credit" => Frame.Credit(1, 1),
            "data" => Frame.Data(1, [1]),
            "empty data" => Frame.Data(1, []),
            "FIN" => Frame.Fin(1),
            _ => Frame.Data(1, [], FrameFlag.Fin | FrameFlag.Ack),
        });

        await stream.Acknowledged.Guarded();
        await t.Peer.ExpectNothingAsync();
        Assert.False(other.Acknowledged.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task A_stream_that_the_peer_refuses_is_not_acknowledged(string asked)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var acknowledged = asked == "before" ? stream.Acknowledged : null;

        await t.Peer.SendAsync(Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, acknowledged ?? stream.Acknowledged);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, stream.Acknowledged);
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task A_stream_that_is_aborted_first_is_not_acknowledged(string asked)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var acknowledged = asked == "before" ? stream.Acknowledged : null;
        var reason = new InvalidOperationException("for a reason");

        stream.Abort(reason);
        await t.Peer.ExpectAsync(Frame.Rst(1));
        await t.Peer.SendAsync(Frame.Ack(1));
        await t.Peer.ExpectNothingAsync();

        var error = await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, acknowledged ?? stream.Acknowledged);
        Assert.Same(reason, error.InnerException);
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task A_stream_whose_time_to_open_is_over_is_not_acknowledged(string asked)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var acknowledged = asked == "before" ? stream.Acknowledged : null;

        t.Time.Advance(TimeSpan.FromSeconds(75));
        await t.Peer.ExpectAsync(Frame.Rst(1));

        await Guard.FailsWithAsync(YamuxErrorCode.StreamOpenTimeout, acknowledged ?? stream.Acknowledged);
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task A_stream_whose_session_ends_first_is_not_acknowledged(string asked)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var acknowledged = asked == "before" ? stream.Acknowledged : null;

        t.Peer.Close();
        await t.Session.Completion.Guarded();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, acknowledged ?? stream.Acknowledged);
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task A_stream_that_was_acknowledged_stays_so_when_it_fails(string asked)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        var acknowledged = asked == "before" ? stream.Acknowledged : null;

        await t.Peer.SendAsync(Frame.Ack(1), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();

        await (acknowledged ?? stream.Acknowledged).Guarded();
        await stream.Acknowledged.Guarded();
    }

    [Fact]
    public async Task A_stream_of_the_peers_is_acknowledged_from_the_start()
    {
        await using var t = Scenario.Client();

        var stream = await t.AcceptAsync(2);

        Assert.True(stream.Acknowledged.IsCompletedSuccessfully);
        stream.Abort();
        Assert.True(stream.Acknowledged.IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData("ACK")]
    [InlineData("RST")]
    public async Task Whoever_waits_for_it_and_then_blocks_does_not_hold_up_the_session(string frame)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenUnacknowledgedAsync();
        using var released = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var blocked = stream.Acknowledged.ContinueWith(
            task =>
            {
                _ = task.Exception;
                begun.SetResult();
                released.Wait();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            new AtOnceScheduler());

        await t.Peer.SendAsync(frame == "ACK" ? Frame.Ack(1) : Frame.Rst(1));

        try
        {
            await begun.Task.Guarded();
            await t.Peer.ExpectNothingAsync();
            Assert.False(blocked.IsCompleted);
        }
        finally
        {
            released.Set();
        }

        await blocked.Guarded();
    }

    [Fact]
    public async Task Acknowledged_while_the_session_ends_has_one_outcome_and_always_one()
    {
        for (var round = 0; round < 200; round++)
        {
            await using var pair = SessionPair.OverPipes();
            var stream = await pair.Client.OpenStreamAsync().Guarded();
            var asked = Task.Run(() => stream.Acknowledged);
            var accept = Task.Run(async () => await pair.Server.AcceptStreamAsync());
            var end = Task.Run(() => pair.Client.Abort());

            await Guard.EndedAsync(asked);
            await Task.WhenAll(accept, end).Guarded();

            Assert.Equal(asked.IsCompletedSuccessfully, stream.Acknowledged.IsCompletedSuccessfully);
            if (!stream.Acknowledged.IsCompletedSuccessfully)
            {
                await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, stream.Acknowledged);
            }
        }
    }

    // Runs what it gets on the thread that brings it.
    private sealed class AtOnceScheduler : TaskScheduler
    {
        protected override void QueueTask(Task task) => TryExecuteTask(task);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
