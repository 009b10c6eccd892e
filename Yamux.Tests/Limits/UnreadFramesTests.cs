namespace Yamux.Tests.Limits;

/// <summary>
/// A peer that opens streams, closes them when they were accepted, and reads nothing: each leaves an ACK and a FIN to be
/// sent. While 256 KiB of them wait, no stream is begun.
/// </summary>
public class UnreadFramesTests
{
    // The first 10,923 streams leave 262,152 bytes: an ACK and a FIN of twelve bytes each.
    private const uint FillingStreams = 10_923;

    [Fact]
    public async Task No_stream_is_accepted_while_256_KiB_wait_to_be_sent_and_none_is_lost()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        var marker = await FillAsync(t);

        await OpenAsync(t, marker, FillingStreams, 2);
        var accept = t.Session.AcceptStreamAsync().AsTask();
        var other = t.Session.AcceptStreamAsync().AsTask();
        Assert.False(accept.IsCompleted);
        Assert.False(other.IsCompleted);

        await ExpectFilledAsync(t);
        var ids = new[] { (await accept.Guarded())!.Id, (await other.Guarded())!.Id };
        Assert.Equal([Id(FillingStreams), Id(FillingStreams + 1)], ids.Order());
        Assert.Equal(ids.Order(), new[] { (await t.Peer.ReadAsync()).StreamId, (await t.Peer.ReadAsync()).StreamId }.Order());
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_wait_to_accept_that_is_cancelled_loses_no_stream()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        var marker = await FillAsync(t);
        await OpenAsync(t, marker, FillingStreams, 1);
        using var cancellation = new CancellationTokenSource();
        var accept = t.Session.AcceptStreamAsync(cancellation.Token).AsTask();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accept.Guarded());
        await ExpectFilledAsync(t);
        await t.AcceptOpenedAsync(Id(FillingStreams));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_wait_to_accept_ends_with_the_session()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        var marker = await FillAsync(t);
        await OpenAsync(t, marker, FillingStreams, 1);
        var accept = t.Session.AcceptStreamAsync().AsTask();

        t.Session.Abort();

        Assert.Null(await accept.Guarded());
    }

    [Fact]
    public async Task No_stream_is_opened_while_256_KiB_wait_to_be_sent()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await FillAsync(t);
        using var cancellation = new CancellationTokenSource();
        var open = t.Session.OpenStreamAsync().AsTask();
        var cancelled = t.Session.OpenStreamAsync(cancellation.Token).AsTask();
        Assert.False(open.IsCompleted);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Guarded());
        await ExpectFilledAsync(t);

        Assert.Equal(2u, (await open.Guarded()).Id);
        await t.Peer.ExpectAsync(Frame.Syn(2));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Data_that_waits_to_be_sent_keeps_no_stream_waiting()
    {
        await using var t = Scenario.Stalled(YamuxRole.Server);
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));
        var streams = new List<YamuxStream>();
        for (var i = 0; i < 20; i++)
        {
            streams.Add(await t.Session.OpenStreamAsync().Guarded());
        }

        var writes = streams.Select(stream => stream.Output.WriteAsync(new byte[262_144]).AsTask()).ToArray();

        Assert.Contains(writes, write => !write.IsCompleted);
        Assert.Equal(1u, (await t.Session.AcceptStreamAsync().Guarded())!.Id);
        Assert.Equal(3u, (await t.Session.AcceptStreamAsync().Guarded())!.Id);
        await t.Session.OpenStreamAsync().Guarded();
        t.Session.Abort();
        await Guard.FailsWithAsync(YamuxErrorCode.SessionClosed, Task.WhenAll(writes));
    }

    private static uint Id(uint number) => 3 + (2 * number);

    // A stream on which the peer tells that all it sent before has come.
    private static async Task<YamuxStream> FillAsync(Scenario t)
    {
        var marker = await t.AcceptAsync(1);
        await t.Peer.SendAsync(Frame.Ping(7));
        await t.Peer.PeekAsync();
        for (var done = 0u; done < FillingStreams; done += 33)
        {
            await OpenAsync(t, marker, done, 33);
            for (var i = done; i < done + 33; i++)
            {
                var accept = t.Session.AcceptStreamAsync();
                Assert.True(accept.IsCompleted, $"stream {i} had to wait");
                await (await accept)!.DisposeAsync().Guarded();
            }
        }

        return marker;
    }

    private static async Task OpenAsync(Scenario t, YamuxStream marker, uint first, uint count)
    {
        await t.Peer.SendAsync(Enumerable.Range(0, (int)count).Select(i => Frame.Credit(Id(first + (uint)i), 0, FrameFlag.Syn | FrameFlag.Fin)));
        await t.Peer.SendAsync(Frame.Data(1, [1]));
        await marker.Input.TakeAsync(1);
    }

    private static async Task ExpectFilledAsync(Scenario t)
    {
        await t.Peer.ExpectAsync(Frame.Pong(7));
        for (var i = 0u; i < FillingStreams; i++)
        {
            await t.Peer.ExpectAsync(Frame.Ack(Id(i)), Frame.Fin(Id(i)));
        }
    }
}
