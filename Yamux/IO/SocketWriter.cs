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

    /// <summary>Writes. The context of whoever flushes, a request's Activity say, does not go on with the writes that follow his own.</summary>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return WriteWithoutContextAsync(source);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return WriteWithoutContextAsync(source);
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> WriteWithoutContextAsync(ReadOnlyMemory<byte> source)
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

    private static NotSupportedException NewUnbufferedException() => new("A socket is written to from the caller's memory.");
}
