using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Yamux;

/// <summary>A <see cref="YamuxStream"/> as a <see cref="Stream"/>. One reader and one writer at a time; writes flush themselves.</summary>
internal sealed class YamuxStreamAdapter(YamuxStream stream) : Stream
{
    private bool _isDisposed;

    public override bool CanRead => !_isDisposed;

    public override bool CanWrite => !_isDisposed;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = stream.Input.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully
            ? new ValueTask<int>(Take(read.Result, buffer.Span))
            : WaitAndTakeAsync(read, buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int Read(Span<byte> buffer)
    {
        var read = stream.Input.ReadAsync();
        return Take(read.IsCompletedSuccessfully ? read.Result : read.AsTask().GetAwaiter().GetResult(), buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => stream.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override void Write(byte[] buffer, int offset, int count)
        => WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    // Writes flush themselves, so that there is something left only of what was written to the stream's Output, or of a cancelled flush of it.
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (stream.Output.UnflushedBytes > 0)
        {
            await stream.WriteAsync(ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false); // It tells by an exception that it was cancelled.
        }
    }

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await stream.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _isDisposed = true;

            // Whatever is left to send goes on in the background, bounded by StreamCloseTimeout.
            stream.CompleteReads(disposed: true);
            stream.Output.Complete();
        }

        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAndTakeAsync(ValueTask<ReadResult> read, Memory<byte> buffer)
        => Take(await read.ConfigureAwait(false), buffer.Span);

    private int Take(ReadResult result, Span<byte> destination)
    {
        var source = result.Buffer;
        var count = (int)Math.Min(source.Length, destination.Length);
        var taken = source.Slice(0, count);
        taken.CopyTo(destination);
        stream.Input.AdvanceTo(taken.End);
        if (result.IsCanceled && count == 0)
        {
            throw new OperationCanceledException("The read was cancelled by CancelPendingRead.");
        }

        return count;
    }
}
