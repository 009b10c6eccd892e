namespace Yamux.Tests.Lessons;

/// <summary>WIRE, "Lessons": a write that was given up is not sent from the caller's buffer later (H#142, H#143).</summary>
public class BufferTests
{
    [Fact]
    public async Task A_buffer_may_be_reused_when_its_write_has_ended_though_the_transport_has_taken_nothing()
    {
        await using var t = Scenario.Stalled();
        var stream = await t.OpenAsync();
        var buffer = new byte[1000];
        for (byte i = 1; i <= 50; i++)
        {
            buffer.AsSpan().Fill(i);
            await stream.Output.WriteAsync(buffer).Guarded();
        }

        buffer.AsSpan().Fill(0xFF);

        var received = await t.Peer.ReadDataAsync(1, 50_000);
        Assert.All(received.Chunk(1000).Select((chunk, index) => (chunk, index)), item => Assert.All(item.chunk, value => Assert.Equal(item.index + 1, value)));
    }

    [Fact]
    public async Task A_cancelled_write_of_the_stream_view_sends_no_byte_after_it_has_ended()
    {
        await using var t = Scenario.Client();
        var stream = (await t.OpenAsync()).AsStream();
        var buffer = Bytes.Pattern(262_144 + 100);
        using var cancellation = new CancellationTokenSource();
        var write = stream.WriteAsync(buffer, cancellation.Token).AsTask();
        Assert.Equal(buffer[..262_144], await t.Peer.ReadDataAsync(1, 262_144));

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Guarded());
        buffer.AsSpan().Fill(0xFF);
        await t.Peer.SendAsync(Frame.Credit(1, 1000));
        await t.Peer.ExpectNothingAsync();
        await stream.WriteAsync(new byte[] { 1, 2 }).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1, 2]));
    }

    [Fact]
    public async Task A_cancelled_write_of_the_pipe_keeps_a_copy_of_the_rest_for_the_next_flush()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var buffer = Bytes.Pattern(262_144 + 100);
        var expected = buffer.ToArray();
        using var cancellation = new CancellationTokenSource();
        var write = stream.Output.WriteAsync(buffer, cancellation.Token).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Guarded());
        buffer.AsSpan().Fill(0xFF);
        Assert.Equal(100, stream.Output.UnflushedBytes);
        await t.Peer.SendAsync(Frame.Credit(1, 1000));
        await t.Peer.ExpectNothingAsync();
        await stream.Output.WriteAsync(new byte[] { 1, 2 }).Guarded();

        Bytes.AssertSame([.. expected[262_144..], 1, 2], await t.Peer.ReadDataAsync(1, 102));
    }

    [Fact]
    public async Task A_flush_that_times_out_sends_its_bytes_once()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await stream.Output.WriteAsync(Bytes.Pattern(262_144)).Guarded();
        await t.Peer.ReadDataAsync(1, 262_144);
        stream.Output.GetSpan(1)[0] = 9;
        stream.Output.Advance(1);
        for (var i = 0; i < 5; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var flush = stream.Output.FlushAsync(cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.Guarded());
        }

        await t.Peer.SendAsync(Frame.Credit(1, 10));
        await stream.Output.FlushAsync().Guarded();
        await stream.Output.FlushAsync().Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [9]));
        await t.Peer.ExpectNothingAsync();
    }
}
