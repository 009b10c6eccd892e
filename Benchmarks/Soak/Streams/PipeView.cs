using System.Buffers;
using System.IO.Pipelines;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>As a pair of pipes: reads take a part of what is there, and some writes are left for the next flush.</summary>
internal sealed class PipeView(YamuxStream stream, Totals? cancelled, ulong seed) : ByteView(stream, cancelled, seed)
{
    private RandomSequence _reading = new(seed ^ 1);
    private RandomSequence _writing = new(seed ^ 2);
    private SequencePosition _taken;

    public override ValueTask<ReadOnlySequence<byte>> ReadAsync(CancellationToken stop)
        => Cancels ? RepeatAsync(ReadOnceAsync, Stream.Input.CancelPendingRead, stop) : ReadOnceAsync(stop);

    public override void Advance() => Stream.Input.AdvanceTo(_taken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var output = Stream.Output;
        if (_writing.OneIn(2))
        {
            if ((await output.WriteAsync(bytes, stop)).IsCanceled)
            {
                await RepeatAsync(FlushOnceAsync, output.CancelPendingFlush, stop);
            }

            return;
        }

        output.Write(bytes.Span);
        if (!_writing.OneIn(8))
        {
            await RepeatAsync(FlushOnceAsync, output.CancelPendingFlush, stop);
        }
    }

    // A pipe's writer takes one caller at a time, and completing it is a call.
    public override void DisposeUnderWay()
    {
    }

    private async ValueTask<ReadOnlySequence<byte>> ReadOnceAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await ReadAtLeastAsync(cancellationToken);
            var bytes = read.Buffer;
            if (read.IsCanceled || (bytes.IsEmpty && !read.IsCompleted))
            {
                Stream.Input.AdvanceTo(bytes.Start);
                continue;
            }

            ReadAtLeast = 0;
            if (bytes.Length > 1 && _reading.OneIn(4))
            {
                bytes = bytes.Slice(0, 1 + _reading.Next((int)bytes.Length - 1));
            }

            _taken = bytes.End;
            return bytes;
        }
    }

    private async ValueTask<ReadResult> ReadAtLeastAsync(CancellationToken cancellationToken)
    {
        try
        {
            return ReadAtLeast > 1 ? await Stream.Input.ReadAtLeastAsync(ReadAtLeast, cancellationToken) : await Stream.Input.ReadAsync(cancellationToken);
        }
        catch (YamuxException error) when (error.ErrorCode == YamuxErrorCode.ReadLimitExceeded)
        {
            // All that its session may lend is lent to others: it takes what there is.
            return await Stream.Input.ReadAsync(cancellationToken);
        }
    }

    private async ValueTask<bool> FlushOnceAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        return true;
    }
}
