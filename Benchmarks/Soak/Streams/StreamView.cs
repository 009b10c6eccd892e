using System.Buffers;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>As a <see cref="System.IO.Stream"/>. Only its reads are cancelled: a write that is cancelled has sent nobody knows what.</summary>
internal sealed class StreamView(YamuxStream stream, Totals? cancelled, ulong seed) : ByteView(stream, cancelled, seed)
{
    private const int MaxBuffer = 4096;

    // Not from a pool, where it would hide how much is in use.
    private readonly byte[] _buffer = new byte[1 + (seed % MaxBuffer)];

    public override ValueTask<ReadOnlySequence<byte>> ReadAsync(CancellationToken stop)
        => Cancels ? RepeatAsync(ReadOnceAsync, Stream.Input.CancelPendingRead, stop) : ReadOnceAsync(stop);

    public override void Advance()
    {
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop) => Stream.AsStream().WriteAsync(bytes, stop);

    public override void DisposeUnderWay() => Stream.AsStream().Dispose();

    private async ValueTask<ReadOnlySequence<byte>> ReadOnceAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new ReadOnlySequence<byte>(_buffer, 0, await Stream.AsStream().ReadAsync(_buffer, cancellationToken));
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // By CancelPendingRead.
            }
        }
    }
}
