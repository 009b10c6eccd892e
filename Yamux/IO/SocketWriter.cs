using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Yamux.IO;

/// <summary>Writes to a socket straight from the memory that it is given, and allocates nothing to wait.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without timer or wait handle has nothing to dispose.")]
internal sealed class SocketWriter : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly NetworkStream _stream;
    private readonly Action _onSent;
    private readonly CancellationTokenSource _cancelled = new();
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _send;
    private Action<object?>? _continuation;
    private object? _state;

    public SocketWriter(NetworkStream stream)
    {
        _stream = stream;
        _onSent = () => _continuation!(_state);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, so that nothing is allocated to wait.
        _send = _stream.WriteAsync(source, _cancelled.Token).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        if (!_send.IsCompleted)
        {
            return new ValueTask<FlushResult>(this, 0);
        }

        return new ValueTask<FlushResult>(Finish());
    }

    public override void Advance(int bytes) => throw NewUnbufferedException();

    public override Memory<byte> GetMemory(int sizeHint = 0) => throw NewUnbufferedException();

    public override Span<byte> GetSpan(int sizeHint = 0) => throw NewUnbufferedException();

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override void CancelPendingFlush() => _cancelled.Cancel();

    public override void Complete(Exception? exception = null)
    {
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => Finish();

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token)
        => _send.IsCompleted ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending; // Failed, GetResult throws.

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _continuation = continuation;
        _state = state;
        _send.UnsafeOnCompleted(_onSent);
    }

    private FlushResult Finish()
    {
        try
        {
            _send.GetResult();
            return default;
        }
        catch (OperationCanceledException)
        {
            return new FlushResult(isCanceled: true, isCompleted: false);
        }
    }

    private static NotSupportedException NewUnbufferedException() => new("A socket is written to from the caller's memory.");
}
