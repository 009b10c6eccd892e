using System.IO.Pipelines;

namespace Yamux.Tests.Sending;

/// <summary>What a copy has passed on is credited while it goes on, however slow its destination is.</summary>
public class CopyTests
{
    private const int Window = 1024 * 1024;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_copy_has_passed_on_is_credited_before_it_can_pass_on_the_rest(bool intoPipe)
    {
        await using var t = Scenario.Client(options => options.FixWindows(Window));
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(Window)));
        await t.Peer.ExpectNothingAsync();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false));

        var copying = CopyAsync(stream.Input, pipe.Writer, intoPipe);
        await PassAsync(pipe.Reader, Window * 3 / 4);

        var credit = await t.Peer.ReadAsync();
        Assert.Equal((FrameKind.WindowUpdate, 1u), (credit.Kind, credit.StreamId));
        Assert.InRange((int)credit.Length, Window / 2, Window * 3 / 4);
        Assert.False(copying.IsCompleted);

        await t.Peer.SendAsync(Frame.Fin(1));
        await PassAsync(pipe.Reader, Window / 4);
        await copying.Guarded();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_passes_on_every_byte_in_order_to_the_end(bool intoPipe)
    {
        await using var t = Scenario.Client(options => options.FixWindows(Window));
        var stream = await t.OpenAsync();
        var sent = Bytes.Pattern(Window);
        await t.Peer.SendAsync(Frame.Data(1, sent[..1]), Frame.Data(1, sent[1..300_000]), Frame.Data(1, sent[300_000..]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
        var received = new MemoryStream();

        await CopyAsync(stream.Input, PipeWriter.Create(received), intoPipe).Guarded();

        Assert.Equal(sent, received.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_of_a_stream_that_breaks_passes_on_what_came_and_fails(bool intoPipe)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var sent = Bytes.Pattern(100_000);
        await t.Peer.SendAsync(Frame.Data(1, sent), Frame.Rst(1));
        await t.Peer.ExpectNothingAsync();
        var received = new MemoryStream();

        var copying = CopyAsync(stream.Input, PipeWriter.Create(received), intoPipe);

        await Guard.FailsWithAsync(YamuxErrorCode.StreamReset, copying);
        Assert.Equal(sent, received.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_that_fails_leaves_what_it_has_not_passed_on(bool intoPipe)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(1000)));
        await t.Peer.ExpectNothingAsync();

        var copying = CopyAsync(stream.Input, PipeWriter.Create(new FullStream()), intoPipe);

        await Assert.ThrowsAsync<IOException>(() => copying.Guarded());
        Assert.Equal(Bytes.Pattern(1000), await stream.Input.TakeAsync(1000));
    }

    [Fact]
    public async Task A_copy_ends_when_its_pipe_is_read_no_more()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var pipe = new Pipe();
        pipe.Reader.Complete();
        await t.Peer.SendAsync(Frame.Data(1, Bytes.Pattern(1000)));

        await stream.Input.CopyToAsync(pipe.Writer).Guarded();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_copy_ends_when_its_read_is_cancelled(bool intoPipe, bool byToken)
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        using var source = new CancellationTokenSource();
        var copying = CopyAsync(stream.Input, PipeWriter.Create(Stream.Null), intoPipe, source.Token);

        if (byToken)
        {
            await source.CancelAsync();
        }
        else
        {
            stream.Input.CancelPendingRead();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying.Guarded());
    }

    private static Task CopyAsync(PipeReader source, PipeWriter writer, bool intoPipe, CancellationToken cancellationToken = default)
        => intoPipe ? source.CopyToAsync(writer, cancellationToken) : source.CopyToAsync(writer.AsStream(), cancellationToken);

    private static async Task PassAsync(PipeReader reader, int count)
    {
        while (count > 0)
        {
            var read = await reader.ReadAsync().Guarded();
            var taken = read.Buffer.Slice(0, Math.Min(count, read.Buffer.Length));
            count -= (int)taken.Length;
            reader.AdvanceTo(taken.End);
        }
    }

    private sealed class FullStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.FromException(new IOException("There is no room."));
    }
}
