using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Backchannel;

/// <summary>
/// What a client sends on an HTTP/2 connection, with hosts that Kestrel takes. It shows what <paramref name="inner"/> has, but for the beginning of a
/// header block that is not complete yet, and copies none of it. As with any reader, one caller reads; any may cancel the read.
/// </summary>
internal sealed class AuthorityReader(PipeReader inner, Http2Scanner scanner) : PipeReader
{
    // What the caller has in hand, if it is reading.
    private ReadOnlySequence<byte> _shown;
    private bool _isReading;

    // How far the caller has examined what it was shown, from the first byte that was not consumed.
    private long _examined;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var read = inner.ReadAsync(cancellationToken);
            if (!read.IsCompletedSuccessfully)
            {
                return WaitAsync(read, cancellationToken);
            }

            if (TryShow(read.Result, out var shown))
            {
                return new ValueTask<ReadResult>(shown);
            }
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        while (inner.TryRead(out var read))
        {
            if (TryShow(read, out result))
            {
                return true;
            }
        }

        result = default;
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_isReading)
        {
            inner.AdvanceTo(consumed, examined); // Which says what is wrong with that.
            return;
        }

        var consumedCount = GetDistance(consumed);
        _examined = Math.Max(_examined, Math.Max(consumedCount, GetDistance(examined))) - consumedCount;
        EndRead();
        scanner.Consume(consumedCount);
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        EndRead();
        inner.Complete(exception);
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        EndRead();
        return inner.CompleteAsync(exception);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read, CancellationToken cancellationToken)
    {
        ReadResult shown;
        while (!TryShow(await read.ConfigureAwait(false), out shown))
        {
            read = inner.ReadAsync(cancellationToken);
        }

        return shown;
    }

    // False: it has nothing that the caller has not examined. What is kept back this end has, and waits for more.
    private bool TryShow(in ReadResult read, out ReadResult shown)
    {
        var buffer = read.Buffer;
        var visible = scanner.Scan(buffer, read.IsCompleted);
        if (visible <= _examined && !read.IsCanceled && !read.IsCompleted)
        {
            EndRead();
            inner.AdvanceTo(buffer.Start, buffer.End);
            shown = default;
            return false;
        }

        _shown = visible == buffer.Length ? buffer : buffer.Slice(0, visible);
        _isReading = true;
        shown = new ReadResult(_shown, read.IsCanceled, read.IsCompleted);
        return true;
    }

    private void EndRead()
    {
        _shown = default;
        _isReading = false;
    }

    private long GetDistance(SequencePosition position)
    {
        if (position.Equals(_shown.End))
        {
            return _shown.Length;
        }

        return position.Equals(_shown.Start) ? 0 : _shown.Slice(_shown.Start, position).Length; // Throws for a position that is none of the buffer's.
    }
}
