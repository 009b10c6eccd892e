using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux;

namespace Backchannel;

/// <summary>
/// Tells the loss of the connection as Kestrel's own transports do: nobody reads any more, the reader knows why. Kestrel
/// takes an exception from a flush for a bug, and logs it as an error.
/// </summary>
internal sealed class KestrelStreamWriter(PipeWriter output) : PipeWriter
{
    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    public override void Advance(int bytes) => output.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        => Translate(output.FlushAsync(cancellationToken));

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        => Translate(output.WriteAsync(source, cancellationToken));

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    private static ValueTask<FlushResult> Translate(ValueTask<FlushResult> flush)
        => flush.IsCompletedSuccessfully ? flush : TranslateAsync(flush);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<FlushResult> TranslateAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            return await flush.ConfigureAwait(false);
        }
        catch (YamuxException)
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
    }
}
