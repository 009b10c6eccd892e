using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Tests.Model;

/// <summary>The sender's end of a <see cref="Wire"/>. A step can make it take no more: then a flush does not end.</summary>
internal sealed class WireWriter(Wire wire, Ledger ledger, PipeWriter inner) : PipeWriter, IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<bool> _flush;
    private Memory<byte> _memory;
    private bool _flushing;
    private bool _cancelled;
    private bool _broken;
    private bool _readerCompleted;

    // All of these are guarded by the ledger's gate.
    public bool IsStalled { get; private set; }

    public bool IsCompleted { get; private set; }

    /// <summary>The error that the sender completed it with; what was not delivered is lost then.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Whether a flush was told that the transport takes no more.</summary>
    public bool HasFailed { get; private set; }

    public override void Advance(int bytes)
    {
        wire.Append(_memory.Span[..bytes]);
        _memory = _memory[bytes..];
        inner.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        PublishAll();
        lock (ledger.Gate)
        {
            if (!IsStalled || _broken || _readerCompleted)
            {
                return new ValueTask<FlushResult>(ResultUnsynchronized());
            }

            _flushing = true;
            _flush.Reset();
            ledger.Pulse();
            return new ValueTask<FlushResult>(this, _flush.Version);
        }
    }

    public override void CancelPendingFlush()
    {
        lock (ledger.Gate)
        {
            if (!_flushing)
            {
                return;
            }

            _cancelled = true;
        }

        End();
    }

    public override void Complete(Exception? exception = null)
    {
        PublishAll();
        lock (ledger.Gate)
        {
            IsCompleted = true;
            Error = exception;
            ledger.Pulse();
        }
    }

    public void Stall()
    {
        lock (ledger.Gate)
        {
            IsStalled = true;
        }
    }

    public void Resume()
    {
        lock (ledger.Gate)
        {
            IsStalled = false;
        }

        End();
    }

    public void Break()
    {
        lock (ledger.Gate)
        {
            _broken = true;
        }

        End();
    }

    public void OnReaderCompleted()
    {
        lock (ledger.Gate)
        {
            _readerCompleted = true;
        }

        End();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _flush.GetResult(token);
        lock (ledger.Gate)
        {
            return ResultUnsynchronized();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _flush.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _flush.OnCompleted(continuation, state, token, flags);

    // What is flushed can be delivered, though the flush has not ended: a full transport has what fills it.
    private void PublishAll()
    {
        var flush = inner.FlushAsync();
        if (!flush.IsCompleted)
        {
            throw new InvalidOperationException("A pipe without threshold has nothing to wait for.");
        }

        flush.GetAwaiter().GetResult();
        lock (ledger.Gate)
        {
            wire.Flushed = wire.Appended;
            ledger.Pulse();
        }
    }

    private FlushResult ResultUnsynchronized()
    {
        var isCancelled = _cancelled;
        _cancelled = false;
        HasFailed |= _broken || _readerCompleted;
        if (_broken)
        {
            throw new IOException("The connection was cut.");
        }

        return new FlushResult(isCancelled, _readerCompleted);
    }

    // Ends the flush that is under way; the session's flusher goes on here.
    private void End()
    {
        lock (ledger.Gate)
        {
            if (!_flushing)
            {
                return;
            }

            _flushing = false;
        }

        _flush.SetResult(true);
    }
}
