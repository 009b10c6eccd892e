using System.Buffers;
using System.IO.Pipelines;

namespace Yamux.Tests.Kit;

/// <summary>The reading side of a <see cref="FaultyTransport"/>.</summary>
public sealed class FaultyReader(PipeReader inner, TransportFault? fault) : PipeReader
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReadOnlySequence<byte> _last;
    private ReadOnlySequence<byte> _new;
    private byte[] _kept = [];
    private long _consumed;
    private long _seen;
    private bool _atFault;

    public Task Reached => _reached.Task;

    /// <summary>What the session was given, and has dealt with.</summary>
    public FrameTally Tally { get; } = new();

    public bool HasEnded { get; private set; }

    public bool IsCompleted { get; private set; }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (fault is not null && _seen >= fault.Offset)
        {
            _reached.TrySetResult();
            if (fault.Kind != FaultKind.Trickle)
            {
                _atFault = true;
                return ReadAtFaultAsync();
            }
        }

        var read = inner.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Show(read.Result)) : WaitAsync(read);
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException("The session does not use it.");

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_atFault)
        {
            return; // What was given then is a copy.
        }

        Tally.Add(_new);
        var rest = _last.Slice(consumed);
        _consumed = _seen - rest.Length;
        if (fault is not null && _seen >= fault.Offset && fault.Kind != FaultKind.Trickle)
        {
            _kept = rest.ToArray(); // A pipe would not give it again without something new behind it.
        }

        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead()
    {
        _stalled.TrySetResult(true);
        inner.CancelPendingRead();
    }

    public override void Complete(Exception? exception = null)
    {
        IsCompleted = true;
        inner.Complete(exception);
    }

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read) => Show(await read);

    private ReadResult Show(ReadResult result)
    {
        var buffer = result.Buffer;
        var limit = fault?.Limit(_seen) ?? long.MaxValue;
        var all = buffer.Length <= limit - _consumed;
        _last = all ? buffer : buffer.Slice(0, limit - _consumed);
        _new = _last.Slice(_seen - _consumed);
        _seen = _consumed + _last.Length;
        HasEnded = all && result.IsCompleted;
        return new ReadResult(_last, result.IsCanceled, HasEnded);
    }

    private async ValueTask<ReadResult> ReadAtFaultAsync()
    {
        if (fault!.Offset % 2 == 1)
        {
            await Task.Yield(); // Both forms: at once, and later.
        }

        switch (fault.Kind)
        {
            case FaultKind.Fail:
                throw fault.NewError();
            case FaultKind.End:
                HasEnded = true;
                return new ReadResult(new ReadOnlySequence<byte>(_kept), isCanceled: false, isCompleted: true);
            default:
                await _stalled.Task;
                return new ReadResult(new ReadOnlySequence<byte>(_kept), isCanceled: true, isCompleted: false);
        }
    }
}
