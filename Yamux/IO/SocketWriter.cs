using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Yamux.IO;

/// <summary>Writes to a socket straight from the memory that it is given, and allocates nothing to wait.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without timer or wait handle has nothing to dispose.")]
internal sealed class SocketWriter(NetworkStream stream) : PipeWriter
{
    private readonly CancellationTokenSource _cancelled = new();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        try
        {
            await stream.WriteAsync(source, _cancelled.Token).ConfigureAwait(false);
            return default;
        }
        catch (OperationCanceledException)
        {
            return new FlushResult(isCanceled: true, isCompleted: false);
        }
    }

    public override void Advance(int bytes) => throw NewUnbufferedException();

    public override Memory<byte> GetMemory(int sizeHint = 0) => throw NewUnbufferedException();

    public override Span<byte> GetSpan(int sizeHint = 0) => throw NewUnbufferedException();

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override void CancelPendingFlush() => _cancelled.Cancel();

    public override void Complete(Exception? exception = null)
    {
    }

    private static NotSupportedException NewUnbufferedException() => new("A socket is written to from the caller's memory.");
}
