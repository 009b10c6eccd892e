using System.Buffers;
namespace Yamux.Tests.Face;

/// <summary>Every await can be cancelled, and what was cancelled costs nothing.</summary>
public class CancellationTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);

    [Fact]
    public async Task A_token_that_is_cancelled_already_stops_each_operation_before_it_does_anything()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1]), Frame.Syn(2));
        await t.Peer.ExpectNothingAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await t.Session.OpenStreamAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await t.Session.AcceptStreamAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await t.Session.PingAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await t.Session.GoAwayAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.Input.ReadAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.Output.WriteAsync(new byte[1], Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.Output.FlushAsync(Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.AsStream().WriteAsync(new byte[1], Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.AsStream().ReadExactlyAsync(new byte[1], Cancelled));

        await t.Peer.ExpectNothingAsync();
        Assert.Equal([1], await stream.Input.TakeAsync(1));
        await t.AcceptOpenedAsync(2);
    }

    [Fact]
    public async Task A_cancelled_accept_loses_no_stream()
    {
        await using var t = Scenario.Server();
        using var cancellation = new CancellationTokenSource();
        var cancelled = t.Session.AcceptStreamAsync(cancellation.Token).AsTask();
        var waiting = t.Session.AcceptStreamAsync().AsTask();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Guarded());
        await t.Peer.SendAsync(Frame.Syn(1));

        Assert.Equal(1u, (await waiting.Guarded())?.Id);
        await t.Peer.ExpectAsync(Frame.Ack(1));
    }

    [Fact]
    public async Task Accepting_by_enumeration_can_be_cancelled_and_ends_with_the_session()
    {
        await using var t = Scenario.Server();
        await t.Peer.SendAsync(Frame.Syn(1), Frame.Syn(3));
        using var cancellation = new CancellationTokenSource();
        var ids = new List<uint>();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var stream in t.Session.AcceptStreamsAsync(cancellation.Token))
            {
                ids.Add(stream.Id);
                if (ids.Count == 2)
                {
                    await cancellation.CancelAsync();
                }
            }
        });

        Assert.Equal([1, 3], ids);
        var rest = Task.Run(async () =>
        {
            await foreach (var stream in t.Session.AcceptStreamsAsync())
            {
                ids.Add(stream.Id);
            }
        });
        var dispose = t.Session.DisposeAsync();
        await rest.Guarded();
        await t.Peer.AnswerCloseAsync();
        await dispose.Guarded();
        Assert.Equal([1, 3], ids);
    }

    [Fact]
    public async Task A_cancelled_read_loses_no_byte()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        using var cancellation = new CancellationTokenSource();
        var read = stream.Input.ReadAsync(cancellation.Token).AsTask();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Guarded());
        await t.Peer.SendAsync(Frame.Data(1, [1, 2]));

        Assert.Equal([1, 2], await stream.Input.TakeAsync(2));
    }

    [Fact]
    public async Task A_cancelled_ping_is_forgotten_and_its_answer_ignored()
    {
        await using var t = Scenario.Client();
        using var cancellation = new CancellationTokenSource();
        var cancelled = t.Session.PingAsync(cancellation.Token).AsTask();
        var first = await t.Peer.ReadAsync();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Guarded());
        var ping = t.Session.PingAsync().AsTask();
        var second = await t.Peer.ReadAsync();
        Assert.NotEqual(first.Length, second.Length);
        await t.Peer.SendAsync(Frame.Pong(first.Length));
        await t.Peer.ExpectNothingAsync();
        Assert.False(ping.IsCompleted);
        await t.Peer.SendAsync(Frame.Pong(second.Length));

        await ping.Guarded();
    }

    [Fact]
    public async Task CancelPendingRead_ends_one_read_and_the_stream_goes_on()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var read = stream.Input.ReadAsync().AsTask();

        stream.Input.CancelPendingRead();
        var result = await read.Guarded();
        Assert.True(result.IsCanceled);
        Assert.False(result.IsCompleted);
        stream.Input.AdvanceTo(result.Buffer.End);
        await t.Peer.SendAsync(Frame.Data(1, [3]));

        Assert.Equal([3], await stream.Input.TakeAsync(1));
    }

    [Fact]
    public async Task A_read_that_was_cancelled_need_not_be_followed_by_AdvanceTo()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]));
        await t.Peer.ExpectNothingAsync();

        // As PipeReader.AsStream does, and as a Pipe allows.
        stream.Input.CancelPendingRead();
        Assert.True((await stream.Input.ReadAsync().Guarded()).IsCanceled);

        Assert.Equal([1, 2, 3], await stream.Input.TakeAsync(3));
    }

    [Fact]
    public async Task A_read_that_was_not_cancelled_must_be_followed_by_AdvanceTo()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, [1, 2, 3]));
        var buffer = (await stream.Input.ReadAsync().Guarded()).Buffer;

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.Input.ReadAsync());
        stream.Input.AdvanceTo(buffer.GetPosition(1));

        Assert.Equal([2, 3], await stream.Input.TakeAsync(2));
        Assert.Throws<InvalidOperationException>(() => stream.Input.AdvanceTo(buffer.End));
    }

    [Fact]
    public async Task A_buffer_in_hand_stays_valid_when_the_input_is_completed()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(10_000)));
        var read = await stream.Input.ReadAtLeastAsync(10_000).AsTask().Guarded();

        stream.Input.Complete();
        var other = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(3, new byte[10_000]));
        await other.Input.TakeAsync(10_000);

        Bytes.AssertSame(Bytes.Pattern(10_000), read.Buffer.ToArray());
        stream.Input.AdvanceTo(read.Buffer.End);
        await Guard.FailsWithAsync(YamuxErrorCode.StreamAborted, stream.Input.ReadAsync());
    }

    [Fact]
    public async Task CancelPendingRead_before_a_read_ends_the_next_one()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        stream.Input.CancelPendingRead();

        Assert.True((await stream.Input.ReadAsync().Guarded()).IsCanceled);
    }

    [Fact]
    public async Task CancelPendingRead_ends_a_read_of_the_stream_view()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var read = stream.AsStream().ReadAsync(new byte[1]).AsTask();

        stream.Input.CancelPendingRead();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Guarded());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CancelPendingFlush_ends_one_flush_and_keeps_the_bytes_for_the_next(bool write)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(Bytes.Pattern(262_144)).Guarded();
        await t.Peer.ReadDataAsync(1, 262_144);
        var flush = write ? stream.Output.WriteAsync(new byte[] { 9 }).AsTask() : WriteAndFlush();

        stream.Output.CancelPendingFlush();
        var result = await flush.Guarded();
        Assert.True(result.IsCanceled);
        Assert.False(result.IsCompleted);
        Assert.Equal(1, stream.Output.UnflushedBytes);
        await t.Peer.SendAsync(Frame.Credit(1, 10));
        await t.Peer.ExpectNothingAsync();
        Assert.False((await stream.Output.FlushAsync().Guarded()).IsCanceled);

        await t.Peer.ExpectAsync(Frame.Data(1, [9]));

        Task<System.IO.Pipelines.FlushResult> WriteAndFlush()
        {
            stream.Output.GetSpan(1)[0] = 9;
            stream.Output.Advance(1);
            return stream.Output.FlushAsync().AsTask();
        }
    }

    [Fact]
    public async Task CancelPendingFlush_before_a_flush_ends_the_next_one()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        stream.Output.CancelPendingFlush();

        Assert.True((await stream.Output.WriteAsync(new byte[] { 1 }).Guarded()).IsCanceled);
        await stream.Output.WriteAsync(new byte[] { 2 }).Guarded();
        Assert.Equal([1, 2], await t.Peer.ReadDataAsync(1, 2));
    }
}
