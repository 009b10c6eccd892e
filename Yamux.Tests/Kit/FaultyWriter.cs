using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>The writing side of a <see cref="FaultyTransport"/>. The bytes before the fault arrive, also if it cuts a flush.</summary>
public sealed class FaultyWriter(PipeWriter inner, TransportFault? fault) : PipeWriter
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<FlushResult> _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ArrayBufferWriter<byte> _unflushed = new();
    private long _written;

    public Task Reached => _reached.Task;

    public long Written => Volatile.Read(ref _written);

    public bool IsCompleted { get; private set; }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _unflushed.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _unflushed.GetSpan(sizeHint);

    public override void Advance(int bytes) => _unflushed.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (fault is null)
        {
            Pass(_unflushed.WrittenSpan);
            _unflushed.ResetWrittenCount();
            return inner.FlushAsync(cancellationToken);
        }

        return fault.Kind == FaultKind.Trickle ? FlushByTrickleAsync(fault) : FlushToFaultAsync(fault);
    }

    public override void CancelPendingFlush()
    {
        _stalled.TrySetResult(new FlushResult(isCanceled: true, isCompleted: false));
        inner.CancelPendingFlush();
    }

    public override void Complete(Exception? exception = null)
    {
        IsCompleted = true;
        inner.Complete(exception);
    }

    private ValueTask<FlushResult> FlushToFaultAsync(TransportFault it)
    {
        var rest = _unflushed.WrittenSpan;
        var count = (int)Math.Min(rest.Length, it.Offset - _written);
        Pass(rest[..count]);
        var flush = inner.FlushAsync();
        if (count < rest.Length)
        {
            return FlushAtFaultAsync(it);
        }

        _unflushed.ResetWrittenCount();
        return flush;
    }

    // The fault has been reached when the session knows, so that a test may move the clock then. Errors come in both forms: at
    // once, and later.
    private ValueTask<FlushResult> FlushAtFaultAsync(TransportFault it)
    {
        if (it.Kind == FaultKind.Stall)
        {
            _reached.TrySetResult();
            return new ValueTask<FlushResult>(_stalled.Task);
        }

        var error = it.Kind == FaultKind.Fail ? it.NewError() : null;
        var result = new FlushResult(isCanceled: false, isCompleted: true);
        if (it.Offset % 2 == 1)
        {
            return new ValueTask<FlushResult>(new DeferredFlush(result, error, () => _reached.TrySetResult()), token: 0);
        }

        _reached.TrySetResult();
        return error is null ? new ValueTask<FlushResult>(result) : throw error;
    }

    private async ValueTask<FlushResult> FlushByTrickleAsync(TransportFault it)
    {
        var result = default(FlushResult);
        var rest = _unflushed.WrittenMemory;
        while (!rest.IsEmpty)
        {
            var count = (int)Math.Min(rest.Length, it.Limit(_written) - _written);
            if (_written >= it.Offset)
            {
                _reached.TrySetResult();
                await Task.Yield(); // Who takes one byte at a time does not take them at once.
            }

            Pass(rest.Span[..count]);
            rest = rest[count..];
            result = await inner.FlushAsync();
        }

        _unflushed.ResetWrittenCount();
        return result;
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        inner.Write(bytes);
        Volatile.Write(ref _written, _written + bytes.Length);
    }
}
