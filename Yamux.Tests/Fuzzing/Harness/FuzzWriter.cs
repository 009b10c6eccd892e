using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Tests.Fuzzing;

/// <summary>Keeps what the session sends. A flush may wait until it is released, so that the session has to queue.</summary>
internal sealed class FuzzWriter : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private ManualResetValueTaskSourceCore<FlushResult> _core;
    private int _flushed;
    private int _taken;
    private bool _waiting;
    private bool _isSlow;

    public bool IsCompleted { get; private set; }

    /// <summary>From now on a flush waits.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            _isSlow = true;
        }
    }

    /// <summary>Lets the flush that waits go on, and those to come.</summary>
    public void Release(bool cancelled = false)
    {
        lock (_gate)
        {
            _isSlow = false;
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
        }

        _core.SetResult(new FlushResult(cancelled, isCompleted: false));
    }

    /// <summary>What was flushed since the last time.</summary>
    public byte[] Take()
    {
        lock (_gate)
        {
            var bytes = _bytes.WrittenSpan[_taken.._flushed].ToArray();
            _taken = _flushed;
            return bytes;
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (_gate)
        {
            return _bytes.GetMemory(sizeHint);
        }
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        lock (_gate)
        {
            _bytes.Advance(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            _flushed = _bytes.WrittenCount;
            if (!_isSlow)
            {
                return default;
            }

            _core.Reset();
            _waiting = true;
            return new ValueTask<FlushResult>(this, _core.Version);
        }
    }

    public override void CancelPendingFlush() => Release(cancelled: true);

    public override void Complete(Exception? exception = null) => IsCompleted = true;

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
