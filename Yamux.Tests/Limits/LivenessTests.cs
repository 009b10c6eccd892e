namespace Yamux.Tests.Limits;

/// <summary>
/// Alive means that something moves, in either direction; and what this end was too late to see is not the peer's silence. A
/// connection on which nothing moves is found in time, whatever was under way on it.
/// </summary>
public class LivenessTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_part_of_a_frame_that_comes_keeps_a_session_whose_write_waits()
    {
        await using var t = Stalled();
        await OpenWaitingAsync(t);
        var frame = Frame.Data(1, new byte[100]).ToBytes();

        // Each piece is a byte of one frame, which never becomes whole.
        for (var i = 0; i < 20; i++)
        {
            await t.Peer.SendRawAsync(frame.AsMemory(i, 1));
            t.Time.Advance(WriteTimeout);
            Assert.False(t.Session.Completion.IsCompleted);
        }

        t.Time.Advance(WriteTimeout);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task A_part_of_a_frame_that_comes_is_an_answer_to_the_keepalive()
    {
        await using var t = Client(options => options.EnableKeepAlive = true);
        await t.OpenAsync();
        var frame = Frame.Data(1, new byte[100]).ToBytes();
        t.Time.Advance(TimeSpan.FromSeconds(30));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
            await t.Peer.SendRawAsync(frame.AsMemory(i, 1));
            t.Time.Advance(TimeSpan.FromSeconds(10));
            Assert.False(t.Session.Completion.IsCompleted);
            t.Time.Advance(TimeSpan.FromSeconds(20));
        }

        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
        t.Time.Advance(TimeSpan.FromSeconds(10));
        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task A_write_that_had_to_wait_and_has_ended_keeps_a_session_whose_ping_stands_behind_it()
    {
        await using var t = Stalled(Keepalive);
        var bulk = await OpenBulkAsync(t);
        t.Time.Advance(TimeSpan.FromSeconds(20));
        for (var i = 0; i < 3; i++)
        {
            await TakeOneWriteAsync(t);
            t.Time.Advance(TimeSpan.FromSeconds(10));
            Assert.False(t.Session.Completion.IsCompleted);
            t.Time.Advance(TimeSpan.FromSeconds(10));
        }

        t.Time.Advance(TimeSpan.FromSeconds(10));
        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, bulk);
    }

    [Fact]
    public async Task A_write_that_ends_at_once_proves_nothing()
    {
        await using var t = Client(Keepalive);
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(TimeSpan.FromSeconds(20));

        for (var i = 0; i < 10; i++)
        {
            await stream.Output.WriteAsync(new byte[1000]).Guarded();
            await ReadDataAsync(t, 1000); // So that the write has ended.
        }

        t.Time.Advance(TimeSpan.FromSeconds(10));
        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Theory]
    [InlineData("idle")]
    [InlineData("bulk out")]
    [InlineData("bulk in")]
    public async Task A_link_that_freezes_is_found_within_20_and_10_seconds(string how)
    {
        await using var t = how == "bulk out" ? Stalled(Keepalive) : Client(Keepalive);
        var underWay = Task.CompletedTask;
        switch (how)
        {
            case "bulk out":
                underWay = await OpenBulkAsync(t);
                await TakeOneWriteAsync(t);
                break;
            case "bulk in":
                var stream = await t.OpenAsync();
                underWay = stream.Input.ReadAtLeastAsync(65_536).AsTask();
                await t.Peer.SendRawAsync(Frame.Data(1, new byte[65_536]).ToBytes().AsMemory(0, 300));
                break;
        }

        t.Time.Advance(TimeSpan.FromSeconds(20));
        t.Time.Advance(TimeSpan.FromSeconds(10) - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
        await Guard.EndedAsync(underWay);
    }

    [Fact]
    public async Task A_write_that_freezes_is_found_within_twice_ConnectionWriteTimeout_of_the_last_that_moved()
    {
        await using var t = Stalled();
        await OpenWaitingAsync(t);
        t.Time.Advance(WriteTimeout - Tick);
        await t.Peer.SendRawAsync(Frame.Credit(1, 1).ToBytes());
        t.Time.Advance(Tick);

        t.Time.Advance(WriteTimeout - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task A_keepalive_whose_time_was_over_while_this_end_stood_still_is_looked_at_once_more()
    {
        await using var t = Client(Keepalive);
        await PingedAsync(t);

        t.Time.Advance(TimeSpan.FromSeconds(10) + Late);
        await t.Time.TimerSetAsync(Patience);
        await t.Peer.ExpectNothingAsync();
        t.Time.Advance(Patience);

        await t.Peer.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(10_000, 200, 1_000)]
    [InlineData(10_000, 4_000, 4_000)]
    [InlineData(5_000, 9_000, 5_000)]
    public async Task A_keepalive_that_nothing_answers_ends_the_session_as_much_later_as_this_end_stood_still_within_a_second_and_its_time(int timeout, int late, int further)
    {
        var patience = TimeSpan.FromMilliseconds(further);
        await using var t = Client(options =>
        {
            Keepalive(options);
            options.KeepAliveTimeout = TimeSpan.FromMilliseconds(timeout);
        });
        await PingedAsync(t);

        t.Time.Advance(TimeSpan.FromMilliseconds(timeout + late));
        await t.Time.TimerSetAsync(patience);
        t.Time.Advance(patience - Tick);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task It_is_waited_for_another_second_as_often_as_this_end_is_late_and_five_times_at_most()
    {
        await using var t = Client(Keepalive);
        await PingedAsync(t);

        t.Time.Advance(TimeSpan.FromSeconds(10) + Late);
        for (var late = 1; late < 5; late++)
        {
            await t.Time.TimerSetAsync(Patience);
            t.Time.Advance(Patience + Late);
        }

        await t.Time.TimerSetAsync(Patience);
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Patience + Late);

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task An_end_that_is_always_late_finds_out_all_the_same()
    {
        await using var t = Client(Keepalive);
        await PingedAsync(t);

        // Each step passes a keepalive's whole time, and the next ping's.
        for (var step = 0; step < 100 && !t.Session.Completion.IsCompleted; step++)
        {
            t.Time.Advance(TimeSpan.FromSeconds(60));
            await PoolTurn.WaitAsync();
        }

        await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_whose_time_was_over_while_this_end_stood_still_is_looked_at_once_more(bool moves)
    {
        await using var t = Stalled();
        await OpenWaitingAsync(t);

        t.Time.Advance(WriteTimeout + Late);
        await t.Time.TimerSetAsync(Patience);
        if (moves)
        {
            await t.Peer.SendRawAsync(Frame.Credit(1, 1).ToBytes());
            t.Time.Advance(Patience);
            Assert.False(t.Session.Completion.IsCompleted);
            t.Time.Advance(WriteTimeout - Tick);
            Assert.False(t.Session.Completion.IsCompleted);
            t.Time.Advance(Tick);
        }
        else
        {
            t.Time.Advance(Patience);
        }

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, t.Session.Completion);
    }

    [Fact]
    public async Task A_transport_that_fails_for_writing_ends_the_session_in_time_though_bytes_come()
    {
        await using var t = Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await t.Peer.End.Input.CompleteAsync(new IOException("the cable"));
        await stream.Output.WriteAsync(new byte[1]).Guarded();
        await t.WriteStartedAsync();

        t.Time.Advance(WriteTimeout - Tick);
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        Assert.Equal([1], await stream.Input.TakeAsync(1));
        Assert.False(t.Session.Completion.IsCompleted);
        t.Time.Advance(Tick);

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.Completion);
    }

    [Fact]
    public async Task What_came_before_a_transport_failed_for_writing_is_read_though_this_end_stood_still()
    {
        await using var t = Client();
        var stream = await t.OpenAsync();
        await t.Peer.ExpectNothingAsync();
        await t.Peer.End.Input.CompleteAsync(new IOException("the cable"));
        await stream.Output.WriteAsync(new byte[1]).Guarded();
        await t.WriteStartedAsync();

        t.Time.Advance(WriteTimeout + Late);
        await t.Time.TimerSetAsync(Patience);
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        Assert.Equal([1], await stream.Input.TakeAsync(1));

        // Late once more: it does not begin anew.
        t.Time.Advance(Patience + Late);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, t.Session.Completion);
    }

    [Fact]
    public async Task Writes_that_take_long_become_smaller_and_larger_again_when_they_do_not()
    {
        await using var t = Stalled();
        var stream = await t.OpenAsync(credit: 2_000_000);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        var write = t.EndsWithSession(stream.Output.WriteAsync(Bytes.Pattern(2_000_000)));
        var sizes = new List<long>();

        for (var i = 0; i < 20; i++)
        {
            var read = await t.Peer.End.Input.ReadAsync().Guarded();
            sizes.Add(read.Buffer.Length);
            t.Time.Advance(i < 10 ? TimeSpan.FromSeconds(2) : TimeSpan.Zero);
            t.Peer.End.Input.AdvanceTo(read.Buffer.End);
        }

        Assert.False(write.IsCompleted);
        Assert.InRange(sizes[1..11].Min(), 1, 4 * 1024);
        Assert.InRange(sizes[11..].Max(), 65_536, 80 * 1024);
    }

    // What the peer sends, the session has looked at when the sending ends.
    private static Scenario Client(Action<YamuxOptions>? configure = null) => Scenario.Client(configure, oneByteAtATime: true);

    private static Scenario Stalled(Action<YamuxOptions>? configure = null) => Scenario.Client(configure, DuplexPipe.Rendezvous, oneByteAtATime: true);

    private static void Keepalive(YamuxOptions options)
    {
        options.EnableKeepAlive = true;
        options.KeepAliveInterval = TimeSpan.FromSeconds(20);
        options.ConnectionWriteTimeout = Timeout.InfiniteTimeSpan;
    }

    // The ping has come, and is not answered.
    private static async Task PingedAsync(Scenario t)
    {
        t.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(FrameKind.Ping, (await t.Peer.ReadAsync()).Kind);
    }

    // The SYN of a stream waits for a transport that takes nothing.
    private static async Task OpenWaitingAsync(Scenario t)
    {
        await t.Session.OpenStreamAsync().Guarded();
        await t.WriteStartedAsync();
    }

    // Returns a write of many frames, of which none is taken yet.
    private static async Task<Task> OpenBulkAsync(Scenario t)
    {
        var stream = await t.OpenAsync(credit: 2_000_000);
        await t.Peer.SendRawAsync(Frame.Credit(1, 1).ToBytes());
        var bulk = stream.Output.WriteAsync(Bytes.Pattern(2_000_000)).AsTask();
        await t.Peer.PeekAsync();
        return bulk;
    }

    // The next write is under way when this one is told to have ended, since the pipe goes on at once.
    private static async Task TakeOneWriteAsync(Scenario t)
    {
        var read = await t.Peer.End.Input.ReadAsync().Guarded();
        t.Peer.End.Input.AdvanceTo(read.Buffer.End);
        await t.Peer.PeekAsync();
    }

    private static async Task ReadDataAsync(Scenario t, int count)
    {
        while (count > 0)
        {
            count -= (await t.Peer.ReadAsync()).Payload.Length;
        }
    }
}
