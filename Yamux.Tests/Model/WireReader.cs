using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Tests.Model;

/// <summary>The receiver's end of a <see cref="Wire"/>: shows what was delivered, and no more.</summary>
internal sealed class WireReader(Wire wire, Ledger ledger, PipeReader inner) : PipeReader, IValueTaskSource<ReadResult>
{
    // Its continuation, the read loop, runs where the bytes are delivered.
    private ManualResetValueTaskSourceCore<bool> _read;
    private ReadOnlySequence<byte> _buffer;
    private bool _hasBuffer;
    private long _shown;
    private long _consumed;
    private bool _cancelled;

    /// <summary>Whether the loop waits for more. All of these are guarded by the ledger's gate.</summary>
    public bool IsParked { get; private set; }

    /// <summary>Whether the end was delivered.</summary>
    public bool IsEnded { get; set; }

    public Exception? Error { get; set; }

    /// <summary>Whether the loop has seen the end, and so will come no more.</summary>
    public bool HasSeenEnd { get; private set; }

    public bool IsCompleted { get; private set; }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        lock (ledger.Gate)
        {
            if (_shown < wire.Delivered || IsEnded || _cancelled)
            {
                return new ValueTask<ReadResult>(ShowUnsynchronized());
            }

            IsParked = true;
            _read.Reset();
            ledger.Pulse();
            return new ValueTask<ReadResult>(this, _read.Version);
        }
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (ledger.Gate)
        {
            if (_hasBuffer)
            {
                _consumed += _buffer.Slice(0, consumed).Length;
                _hasBuffer = false;
                inner.AdvanceTo(consumed);
            }
        }
    }

    public override void CancelPendingRead()
    {
        lock (ledger.Gate)
        {
            _cancelled = true;
        }

        Continue();
    }

    public override void Complete(Exception? exception = null)
    {
        lock (ledger.Gate)
        {
            IsCompleted = true;
            ledger.Pulse();
        }

        wire.Writer.OnReaderCompleted();
    }

    /// <summary>Lets the loop go on, if it waits.</summary>
    public void Continue()
    {
        lock (ledger.Gate)
        {
            if (!IsParked)
            {
                return;
            }

            IsParked = false;
        }

        _read.SetResult(true);
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        _read.GetResult(token);
        lock (ledger.Gate)
        {
            return ShowUnsynchronized();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _read.OnCompleted(continuation, state, token, flags);

    private ReadResult ShowUnsynchronized()
    {
        var isCancelled = _cancelled;
        _cancelled = false;
        HasSeenEnd |= IsEnded || isCancelled; // A session cancels when it has ended, and then its loop does.
        if (IsEnded && Error is not null)
        {
            throw Error;
        }

        _shown = wire.Delivered;
        _buffer = ReadOnlySequence<byte>.Empty;
        if (_shown > _consumed && inner.TryRead(out var read))
        {
            _buffer = read.Buffer.Slice(0, _shown - _consumed);
            _hasBuffer = true;
        }

        return new ReadResult(_buffer, isCancelled, IsEnded);
    }
}
