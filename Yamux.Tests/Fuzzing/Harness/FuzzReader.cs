using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Tests.Fuzzing;

/// <summary>
/// Gives the session its input piece by piece. The receive loop runs inside <see cref="Give"/>, on the caller's thread: when
/// that returns, the piece has been dealt with. So a run is fast, and the same every time.
/// </summary>
internal sealed class FuzzReader(byte[] input) : PipeReader, IValueTaskSource<ReadResult>
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ManualResetValueTaskSourceCore<ReadResult> _core;
    private int _given;
    private int _examined;
    private bool _ended;
    private bool _cancelled;
    private bool _waiting;

    /// <summary>Completes when the session waits for its first byte.</summary>
    public Task Started => _started.Task;

    /// <summary>How many bytes the session has taken.</summary>
    public int Consumed { get; private set; }

    public int Left => input.Length - _given;

    /// <summary>Whether the session has had enough.</summary>
    public bool IsAbandoned { get; private set; }

    public bool IsCompleted { get; private set; }

    public void Give(int count)
    {
        _given += count;
        CompleteRead();
    }

    public void End()
    {
        _ended = true;
        CompleteRead();
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_cancelled || _ended || _given > _examined)
            {
                return new ValueTask<ReadResult>(TakeUnsynchronized());
            }

            _core.Reset();
            _waiting = true;
            return new ValueTask<ReadResult>(this, _core.Version);
        }
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException("The session does not use it.");

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        Consumed = consumed.GetInteger();
        _examined = examined.GetInteger();
    }

    public override void CancelPendingRead()
    {
        IsAbandoned = true;
        lock (_gate)
        {
            // The session may close on another thread while Give takes a piece here, which would forget the request.
            _cancelled = true;
        }

        CompleteRead();
    }

    public override void Complete(Exception? exception = null) => IsCompleted = true;

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _core.OnCompleted(continuation, state, token, flags);
        _started.TrySetResult();
    }

    private void CompleteRead()
    {
        ReadResult result;
        lock (_gate)
        {
            if (!_waiting)
            {
                return;
            }

            _waiting = false;
            result = TakeUnsynchronized();
        }

        _core.SetResult(result);
    }

    private ReadResult TakeUnsynchronized()
    {
        var result = new ReadResult(new ReadOnlySequence<byte>(input, Consumed, _given - Consumed), _cancelled, _ended);
        _cancelled = false;
        return result;
    }
}
