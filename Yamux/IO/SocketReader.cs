using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Yamux.IO;

/// <summary>
/// What a socket receives, for a reader that consumes everything at once: nothing is kept from one read to the next, and
/// nothing is allocated to wait. The buffer is as large as what comes: an idle connection holds little.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without timer or wait handle has nothing to dispose.")]
internal sealed class SocketReader(NetworkStream stream) : PipeReader
{
    private const int SmallestBuffer = 4 * 1024;
    private const int LargestBuffer = 128 * 1024;

    // So many reads in a row that leave most of the buffer empty make it smaller.
    private const int SmallReadsToShrink = 8;

    private readonly CancellationTokenSource _cancelled = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(SmallestBuffer);
    private int _received;
    private int _smallReads;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            _received = await stream.ReadAsync(_buffer, _cancelled.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _received = 0;
            return new ReadResult(default, isCanceled: true, isCompleted: false);
        }

        return new ReadResult(new ReadOnlySequence<byte>(_buffer, 0, _received), isCanceled: false, isCompleted: _received == 0);
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException("A socket is read asynchronously.");

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // All of it was consumed, so that the buffer is free, to be another one for the next read.
        if (_received == _buffer.Length)
        {
            _smallReads = 0;
            Resize(Math.Min(4 * _buffer.Length, LargestBuffer));
        }
        else if (_received > _buffer.Length / 8)
        {
            _smallReads = 0;
        }
        else if (++_smallReads == SmallReadsToShrink)
        {
            _smallReads = 0;
            Resize(SmallestBuffer);
        }
    }

    public override void CancelPendingRead() => _cancelled.Cancel();

    public override void Complete(Exception? exception = null)
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Resize(int size)
    {
        if (size != _buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(size);
        }
    }
}
