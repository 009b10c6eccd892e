namespace Yamux.Tests.Lessons;

/// <summary>WIRE, "Lessons": what waits must not stop what does not. H#9, H#133, R#102, R#112, P, Nerdbank.Streams#89 and #498.</summary>
public class DeadlockTests
{
    [Fact]
    public async Task The_read_loop_goes_on_while_the_transport_takes_nothing()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(new byte[] { 1 }).Guarded();
        await t.Peer.PeekAsync();

        for (var i = 0; i < 20; i++)
        {
            var data = Bytes.Pattern(200_000, i);
            await t.Peer.SendAsync(Frame.Data(1, data), Frame.Ping(5));
            Assert.Equal(data, await stream.Input.TakeAsync(data.Length));
            if (i % 5 == 4)
            {
                await DrainAsync(t);
            }
        }
    }

    [Fact]
    public async Task Two_sessions_that_both_send_more_than_the_transport_holds_do_not_block_each_other()
    {
        await using var pair = SessionPair.OverPipes(DuplexPipe.Rendezvous);
        var data = Bytes.Pattern(3_000_000);

        var streams = await pair.OpenAsync(4);
        var copies = streams.SelectMany(pairOfStreams => new[] { pairOfStreams.Client, pairOfStreams.Server }).Select(async stream =>
        {
            var write = Task.Run(async () =>
            {
                await stream.Output.WriteAsync(data);
                await stream.Output.CompleteAsync();
            });
            Bytes.AssertSame(data, await stream.Input.TakeAllAsync());
            await write;
        });

        await Task.WhenAll(copies).Guarded();
    }

    [Fact]
    public async Task A_writer_whose_peer_has_sent_FIN_and_gives_no_credit_can_be_cancelled_and_aborted()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Fin(1));
        await stream.Input.ExpectEndAsync();
        using var cancellation = new CancellationTokenSource();
        var write = stream.Output.WriteAsync(Bytes.Pattern(262_145), cancellation.Token).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Guarded());
        var flush = stream.Output.FlushAsync().AsTask();
        stream.Abort();

        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, flush);
        await t.Peer.ExpectAsync(Frame.Rst(1));
    }

    [Fact]
    public async Task A_reader_that_must_see_more_than_a_window_gets_it()
    {
        await using var pair = SessionPair.OverPipes();
        var (client, server) = (await pair.OpenAsync(1))[0];
        var data = Bytes.Pattern(1_300_000); // A window, and most of what a reader is lent.

        var write = client.Output.WriteAsync(data).AsTask();

        Bytes.AssertSame(data, await server.Input.TakeAsync(data.Length));
        await write.Guarded();
        var again = client.Output.WriteAsync(data).AsTask();
        Bytes.AssertSame(data, await server.Input.TakeAsync(data.Length));
        await again.Guarded();
    }

    [Fact]
    public async Task A_full_accept_queue_does_not_block_the_session()
    {
        await using var t = Scenario.Server(options => options.AcceptBacklog = 2);
        var stream = await t.AcceptAsync(1);

        await t.Peer.SendAsync(Frame.Syn(3), Frame.Syn(5), Frame.Syn(7), Frame.Data(1, [1]));

        Assert.Equal([1], await stream.Input.TakeAsync(1));
        await t.Peer.ExpectAsync(Frame.Rst(7));
    }

    [Fact]
    public async Task A_stream_that_is_not_read_does_not_block_the_others()
    {
        await using var t = Scenario.Client();
        await t.OpenAsync();
        var other = await t.OpenAsync();

        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(262_144)), Frame.Data(3, [1]));

        Assert.Equal([1], await other.Input.TakeAsync(1));
    }

    [Fact]
    public async Task A_stream_that_waits_for_credit_does_not_block_the_others()
    {
        await using var t = Scenario.Client();
        var slow = await t.OpenAsync();
        var other = await t.OpenAsync();
        var write = t.EndsWithSession(slow.Output.WriteAsync(Bytes.Pattern(300_000)));
        await t.Peer.ReadDataAsync(1, 262_144);

        await other.Output.WriteAsync(new byte[] { 1 }).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(3, [1]));
        Assert.False(write.IsCompleted);
    }

    [Fact]
    public async Task A_reader_whose_continuation_blocks_its_thread_does_not_block_the_session()
    {
        await using var t = Scenario.Client();
        var slow = await t.OpenAsync();
        var other = await t.OpenAsync();
        using var gate = new ManualResetEventSlim();
        var reader = slow.Input.ReadAsync().AsTask().ContinueWith(_ => gate.Wait(), TaskContinuationOptions.ExecuteSynchronously);

        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Data(3, [2]));

        Assert.Equal([2], await other.Input.TakeAsync(1));
        gate.Set();
        await reader.Guarded();
    }

    [Fact]
    public async Task A_callback_of_Closed_that_blocks_its_thread_does_not_block_the_session()
    {
        await using var t = Scenario.Client();
        var slow = await t.OpenAsync();
        var other = await t.OpenAsync();
        using var gate = new ManualResetEventSlim();
        await using var registration = slow.Closed.Register(gate.Wait);

        await t.Peer.SendAsync(Frame.Rst(1), Frame.Data(3, [2]));

        Assert.Equal([2], await other.Input.TakeAsync(1));
        gate.Set();
    }

    [Fact]
    public async Task A_callback_of_Closed_that_throws_is_logged_and_harms_nobody()
    {
        await using var t = Scenario.Client();
        t.ExpectsWarnings = true;
        var stream = await t.OpenAsync();
        using var called = new SemaphoreSlim(0);
        await using var registration = stream.Closed.Register(() =>
        {
            called.Release();
            throw new InvalidOperationException("a callback's fault");
        });

        await t.Peer.SendAsync(Frame.Rst(1));

        await called.WaitAsync().Guarded();
        await t.Peer.ExpectNothingAsync();
        await t.OpenAsync();
    }

    private static async Task DrainAsync(Scenario t)
    {
        await t.Peer.SendAsync(Frame.Ping(99));
        while (await t.Peer.ReadAsync() != Frame.Pong(99))
        {
        }
    }
}
