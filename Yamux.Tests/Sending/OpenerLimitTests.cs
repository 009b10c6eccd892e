namespace Yamux.Tests.Sending;

/// <summary>WIRE, "What we send": the opener's limit. A slot is freed once, by whatever ends the wait for the ACK.</summary>
public class OpenerLimitTests
{
    [Fact]
    public async Task Stream_257_waits_for_the_first_ACK()
    {
        await using var t = Scenario.Client();
        for (var i = 0; i < 256; i++)
        {
            await t.OpenUnacknowledgedAsync();
        }

        var open = t.Session.OpenStreamAsync().AsTask();

        await t.Peer.ExpectNothingAsync();
        Assert.False(open.IsCompleted);
        await t.Peer.SendAsync(Frame.Ack(1));
        await t.Peer.ExpectAsync(Frame.Syn(513));
        Assert.Equal(513u, (await open.Guarded()).Id);
    }

    [Fact]
    public async Task What_waits_to_be_accepted_at_this_end_is_no_limit_of_its_own_opens()
    {
        await using var t = Scenario.Client(options => options.AcceptBacklog = 1);

        for (var i = 0; i < 256; i++)
        {
            await t.OpenUnacknowledgedAsync();
        }

        var open = t.EndsWithSession(t.Session.OpenStreamAsync());
        await t.Peer.ExpectNothingAsync();
        Assert.False(open.IsCompleted);
    }

    [Theory]
    [InlineData("ACK")]
    [InlineData("credit")]
    [InlineData("data")]
    [InlineData("FIN")]
    [InlineData("RST")]
    [InlineData("data with FIN and ACK")]
    public async Task A_frame_of_the_peers_on_the_stream_frees_one_slot(string which)
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        var second = t.Session.OpenStreamAsync().AsTask();
        var third = t.EndsWithSession(t.Session.OpenStreamAsync());
        await t.Peer.ExpectNothingAsync();
        var frame = which switch
        {
            "ACK" => Frame.Ack(1),
            "credit" => Frame.Credit(1, 1),
            "data" => Frame.Data(1, [1]),
            "FIN" => Frame.Fin(1),
            "RST" => Frame.Rst(1),
            _ => Frame.Data(1, [], FrameFlag.Fin | FrameFlag.Ack),
        };

        await t.Peer.SendAsync(frame, Frame.Ack(1), Frame.Ack(1), Frame.Rst(1));

        await t.Peer.ExpectAsync(Frame.Syn(3));
        Assert.Equal(3u, (await second.Guarded()).Id);
        await t.Peer.ExpectNothingAsync();
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public async Task Aborting_a_stream_before_its_ACK_frees_one_slot()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        var first = await t.OpenUnacknowledgedAsync();
        var second = t.Session.OpenStreamAsync().AsTask();
        var third = t.EndsWithSession(t.Session.OpenStreamAsync());

        first.Abort();
        first.Abort();

        await t.Peer.ExpectAsync(Frame.Rst(1), Frame.Syn(3));
        await second.Guarded();
        await t.Peer.SendAsync(Frame.Ack(1));
        await t.Peer.ExpectNothingAsync();
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public async Task Closing_a_stream_before_its_ACK_keeps_its_slot_until_the_ACK_comes()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        var first = await t.OpenUnacknowledgedAsync();
        await first.DisposeAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Fin(1));
        var second = t.Session.OpenStreamAsync().AsTask();
        await t.Peer.ExpectNothingAsync();
        Assert.False(second.IsCompleted);

        await t.Peer.SendAsync(Frame.Ack(1), Frame.Fin(1));

        await t.Peer.ExpectAsync(Frame.Syn(3));
        await second.Guarded();
    }

    [Fact]
    public async Task StreamOpenTimeout_frees_one_slot()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        var second = t.Session.OpenStreamAsync().AsTask();
        var third = t.EndsWithSession(t.Session.OpenStreamAsync());
        await t.Peer.ExpectNothingAsync();

        t.Time.Advance(TimeSpan.FromSeconds(75));

        await t.Peer.ExpectAsync(Frame.Rst(1), Frame.Syn(3));
        await second.Guarded();
        await t.Peer.ExpectNothingAsync();
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public async Task A_waiting_open_can_be_cancelled_and_leaves_neither_a_stream_nor_a_slot_behind()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 1);
        await t.OpenUnacknowledgedAsync();
        using var cancellation = new CancellationTokenSource();
        var cancelled = t.Session.OpenStreamAsync(cancellation.Token).AsTask();
        var waiting = t.Session.OpenStreamAsync().AsTask();

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Guarded());
        await t.Peer.ExpectNothingAsync();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, t.Session.StreamCount);
        await t.Peer.SendAsync(Frame.Ack(1));
        await t.Peer.ExpectAsync(Frame.Syn(3));
        await waiting.Guarded();
    }

    [Fact]
    public async Task A_thousand_opens_that_fail_cost_no_slot()
    {
        await using var t = Scenario.Client(options => options.MaxUnacknowledgedStreams = 2);
        for (var i = 0u; i < 1000; i++)
        {
            var id = 1 + (2 * i);
            var stream = await t.OpenUnacknowledgedAsync();
            switch (i % 3)
            {
                case 0:
                    stream.Abort();
                    await t.Peer.ExpectAsync(Frame.Rst(id));
                    break;
                case 1:
                    await t.Peer.SendAsync(Frame.Rst(id));
                    await t.Peer.ExpectNothingAsync();
                    break;
                default:
                    await stream.DisposeAsync().Guarded();
                    await t.Peer.SendAsync(Frame.Fin(id));
                    await t.Peer.ExpectAsync(Frame.Fin(id));
                    await t.Peer.ExpectNothingAsync();
                    break;
            }
        }

        Assert.Equal(0, t.Session.StreamCount);
        await t.OpenUnacknowledgedAsync();
        await t.OpenUnacknowledgedAsync();
        var third = t.EndsWithSession(t.Session.OpenStreamAsync());
        await t.Peer.ExpectNothingAsync();
        Assert.False(third.IsCompleted);
    }
}
