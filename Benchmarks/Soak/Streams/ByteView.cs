using System.Buffers;
using Yamux;

namespace Benchmarks.Soak.Streams;

/// <summary>A stream as one of the two things that its user may take it for. One reader and one writer at a time.</summary>
internal abstract class ByteView(YamuxStream stream, Totals? cancelled, ulong seed)
{
    private const int MaxCancellations = 3;

    private RandomSequence _delays = new(seed ^ 3);

    /// <summary>Nothing is consumed before so many bytes have come, where the view allows that.</summary>
    public int ReadAtLeast { get; set; }

    protected YamuxStream Stream { get; } = stream;

    protected bool Cancels => cancelled is not null;

    /// <param name="cancelled">Counts the operations that the view cancels, and then goes on with; null: it cancels none.</param>
    public static ByteView Create(YamuxStream stream, bool pipe, Totals? cancelled, ulong seed)
        => pipe ? new PipeView(stream, cancelled, seed) : new StreamView(stream, cancelled, seed);

    /// <summary>What has come, some of it at least; nothing at the end. <see cref="Advance"/> follows.</summary>
    public abstract ValueTask<ReadOnlySequence<byte>> ReadAsync(CancellationToken stop);

    /// <summary>What was read has been used.</summary>
    public abstract void Advance();

    /// <summary>Writes. Bytes may stay in this end until the next write, or until <see cref="EndWriting"/>.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop);

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync(CancellationToken stop)
    {
        while ((await Stream.Output.FlushAsync(stop)).IsCanceled)
        {
            // By CancelPendingFlush; what was not sent is kept.
        }
    }

    /// <summary>Closes this end's side: the half-close.</summary>
    public void EndWriting() => Stream.Output.Complete();

    /// <summary>Disposes the stream while reads and writes are under way, if this view allows that.</summary>
    public abstract void DisposeUnderWay();

    /// <summary>An operation that loses nothing when it is cancelled, and so may be tried again.</summary>
    protected async ValueTask<T> RepeatAsync<T>(Func<CancellationToken, ValueTask<T>> operation, Action cancelPending, CancellationToken stop)
    {
        for (var count = 0; cancelled is not null && count < MaxCancellations; count++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (NextDelay() is var delay && delay > 0)
            {
                cancel.CancelAfter(delay);
            }
            else
            {
                ThreadPool.QueueUserWorkItem(static cancelPending => cancelPending(), cancelPending, preferLocal: false);
            }

            try
            {
                return await operation(cancel.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref cancelled.Cancelled);
            }
        }

        return await operation(stop);
    }

    // Reader and writer both come here.
    private int NextDelay()
    {
        lock (Stream)
        {
            return _delays.Next(3);
        }
    }
}
