using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Face;

/// <summary>YamuxStream.WriteAsync: bytes of the caller's, with FIN or without.</summary>
public class WriteTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(10_000)]
    [InlineData(0)]
    public async Task FIN_leaves_in_the_write_of_the_last_bytes(int count)
    {
        var (ours, theirs) = DuplexPipe.CreatePair();
        var output = new WriteRecorder(ours.Output);
        var options = new YamuxOptions { TimeProvider = new TestTime(), EnableKeepAlive = false };
        options.FixWindows(262_144);
        var session = YamuxSession.Create(new Transport(ours.Input, output), YamuxRole.Client, options);
        var peer = new ScriptedPeer(theirs);
        var stream = await session.OpenStreamAsync().Guarded();
        await peer.ExpectAsync(Frame.Syn(1));
        output.Sizes.Clear();
        var bytes = Bytes.Pattern(count);

        await stream.WriteAsync(bytes, completeWrites: true).Guarded();

        await peer.ExpectAsync(count > 0 ? [Frame.Data(1, bytes), Frame.Fin(1)] : [Frame.Fin(1)]);
        Assert.Equal([count + (count > 0 ? 24 : 12)], output.Sizes);
        Assert.True(stream.WritesClosed.IsCompletedSuccessfully);
        session.Abort();
    }

    [Fact]
    public async Task The_last_write_stands_behind_what_was_written_to_the_output()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        stream.Output.GetSpan(1)[0] = 1;
        stream.Output.Advance(1);

        await stream.WriteAsync(new byte[] { 2 }, completeWrites: true).Guarded();

        Assert.Equal([1, 2], await t.Peer.ReadDataAsync(1, 2));
        await t.Peer.ExpectAsync(Frame.Fin(1));
        await stream.DisposeAsync().Guarded();
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task Nothing_can_be_written_after_the_last_write()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        await stream.WriteAsync(new byte[] { 1 }, completeWrites: true).Guarded();

        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.WriteAsync(new byte[1]).Guarded());
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.WriteAsync(new byte[1], completeWrites: true).Guarded());
        await stream.Output.CompleteAsync().Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [1]), Frame.Fin(1));
        await t.Peer.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_last_write_waits_for_the_credit_of_all_of_it()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();

        var write = stream.WriteAsync(Bytes.Pattern(262_145), completeWrites: true).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);
        await t.Peer.ExpectNothingAsync();
        Assert.False(write.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 1));

        await write.Guarded();
        await t.Peer.ReadDataAsync(1, 1);
        await t.Peer.ExpectAsync(Frame.Fin(1));
    }

    [Fact]
    public async Task A_last_write_that_is_cancelled_completes_nothing()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        using var cancellation = new CancellationTokenSource();
        var write = stream.WriteAsync(Bytes.Pattern(262_145), completeWrites: true, cancellation.Token).AsTask();
        await t.Peer.ReadDataAsync(1, 262_144);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Guarded());
        Assert.False(stream.WritesClosed.IsCompleted);
        await t.Peer.SendAsync(Frame.Credit(1, 1));
        await stream.WriteAsync(new byte[] { 42 }, completeWrites: true).Guarded();
        await t.Peer.ExpectAsync(Frame.Data(1, [42]), Frame.Fin(1));
    }

    [Fact]
    public async Task Pieces_leave_in_one_frame()
    {
        await using var t = Scenario.Client();
        var stream = await t.OpenAsync();
        var first = new Piece([1, 2], null);

        await stream.WriteAsync(new ReadOnlySequence<byte>(first, 0, new Piece([3], first), 1)).Guarded();

        await t.Peer.ExpectAsync(Frame.Data(1, [1, 2, 3]));
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, Piece? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class WriteRecorder(PipeWriter output) : PipeWriter
    {
        public List<int> Sizes { get; } = [];

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Sizes.Add(source.Length);
            return output.WriteAsync(source, cancellationToken);
        }

        public override void Advance(int bytes) => throw new NotSupportedException();

        public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException();

        public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => output.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => output.Complete(exception);
    }
}
