using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.IO;

namespace Yamux.Internal;

/// <summary>
/// The writer's view of a <see cref="SendHalf"/>: collects what is written until it is flushed, then sends it as credit comes. At
/// most one caller sends at a time; after completion the drain, which sends the rest and FIN, takes that place.
/// </summary>
internal sealed class StreamWriter(SendHalf half) : PipeWriter
{
    // The caller's own: what was written and not flushed, or could not be sent.
    private SegmentedBuffer _pending;
    private bool _flushCancelled;

    // Guarded by the gate: somebody sends, for good when it is the drain.
    private bool _sending;
    private TaskCompletionSource? _drained;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _pending.Length;

    public override void Advance(int bytes) => _pending.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfCompleted();
        return _pending.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        => SendAsync(ReadOnlySequence<byte>.Empty, keepsRest: true, completes: false, cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        => SendAsync(new ReadOnlySequence<byte>(source), keepsRest: true, completes: false, cancellationToken);

    // Sends what is pending, and the source behind it, straight from the caller's memory. What a cancelled write could not send of it is kept for the next
    // flush, as a pipe would keep it, or dropped, as a stream would.
    private ValueTask<FlushResult> SendAsync(ReadOnlySequence<byte> source, bool keepsRest, bool completes, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        try
        {
            Begin();
        }
        catch (YamuxException failure)
        {
            return ValueTask.FromException<FlushResult>(failure);
        }

        try
        {
            var cancelled = TakeFlushCancelled();
            if (!cancelled && TrySend(ref source, completes) is not SendWait.None and var wait)
            {
                return SendSlowAsync(source, wait, keepsRest, completes, cancellationToken);
            }

            if (completes && !cancelled)
            {
                Complete(); // FIN has left with the last frame.
            }

            if (keepsRest)
            {
                _pending.Write(source);
            }

            End();
            return new ValueTask<FlushResult>(new FlushResult(cancelled, isCompleted: false));
        }
        catch (Exception failure)
        {
            End();
            return ValueTask.FromException<FlushResult>(failure);
        }
    }

    /// <summary>As <see cref="WriteAsync"/>, but for a stream: a cancelled write drops the rest. It may be the last one.</summary>
    public ValueTask WriteThroughAsync(ReadOnlySequence<byte> source, bool completes, CancellationToken cancellationToken)
    {
        var sent = SendAsync(source, keepsRest: false, completes, cancellationToken);
        if (!sent.IsCompletedSuccessfully)
        {
            return WaitAsync(sent);
        }

        return sent.Result.IsCanceled ? ValueTask.FromException(NewFlushCancelledException()) : ValueTask.CompletedTask;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        static async ValueTask WaitAsync(ValueTask<FlushResult> sent)
        {
            if ((await sent.ConfigureAwait(false)).IsCanceled)
            {
                throw NewFlushCancelledException();
            }
        }

        static OperationCanceledException NewFlushCancelledException() => new("The write was cancelled by CancelPendingFlush.");
    }

    public override void CancelPendingFlush()
    {
        Volatile.Write(ref _flushCancelled, true);
        half.Signal.Set();
    }

    public override void Complete(Exception? exception = null)
    {
        if (exception is not null && _drained is null)
        {
            half.Stream.Abort(exception); // First, so that no drain can send FIN.
        }

        if (TryComplete())
        {
            _ = DrainAsync();
        }
    }

    /// <summary>Completes when the session has taken everything, FIN too. With an exception, at once.</summary>
    /// <exception cref="YamuxException">The stream has failed before; what was written is lost.</exception>
    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        Complete(exception);
        if (exception is null)
        {
            await _drained!.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Completes it, and waits until everything is sent. Cancelled, it aborts the half.Stream.</summary>
    public async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        Complete();
        try
        {
            await _drained!.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            half.Stream.Abort();
            throw;
        }
    }

    /// <summary>Completes it, and waits until everything is sent, or will never be, which a reader, a flush or the log tells.</summary>
    public async ValueTask DisposeAsync()
    {
        Complete();
        await _drained!.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendSlowAsync(
        ReadOnlySequence<byte> rest, SendWait wait, bool keepsRest, bool completes, CancellationToken cancellationToken)
    {
        var observed = new ObservedWait(half.Stream.Session);
        try
        {
            var cancelled = false;
            do
            {
                observed.Turn(wait);
                using (cancellationToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), half.Signal))
                {
                    await half.Signal.WaitAsync().ConfigureAwait(false);
                }

                cancellationToken.ThrowIfCancellationRequested();
                cancelled = TakeFlushCancelled();
            }
            while (!cancelled && (wait = TrySend(ref rest, completes)) != SendWait.None);
            if (completes && !cancelled)
            {
                Complete();
            }

            return new FlushResult(cancelled, isCompleted: false);
        }
        finally
        {
            observed.Turn(SendWait.None);
            if (keepsRest)
            {
                _pending.Write(rest);
            }

            End();
        }
    }

    // What is pending, and the source behind it.
    private SendWait TrySend(ref ReadOnlySequence<byte> source, bool last)
    {
        var wait = TrySendPending();
        return wait == SendWait.None ? half.TrySend(ref source, last) : wait;
    }

    private SendWait TrySendPending(bool last = false)
    {
        if (_pending.Length == 0 && !last)
        {
            return SendWait.None;
        }

        var rest = _pending.Content;
        try
        {
            return half.TrySend(ref rest, last);
        }
        finally
        {
            _pending.Consume(_pending.Length - rest.Length);
        }
    }

    private bool TakeFlushCancelled() => Volatile.Read(ref _flushCancelled) && Interlocked.Exchange(ref _flushCancelled, false);

    private void ThrowIfCompleted()
    {
        half.Stream.ThrowIfDisposed();
        if (_drained is not null)
        {
            throw new InvalidOperationException($"The output of yamux stream {half.Stream.Id} is completed; nothing can be written to it.");
        }
    }

    // A failure comes before all else: it is what the writer must know, and not that it is also completed.
    private void Begin()
    {
        lock (half.Stream.Gate)
        {
            half.Stream.ThrowIfFailedUnsynchronized();
            ThrowIfCompleted();
            if (_sending)
            {
                throw new InvalidOperationException($"Yamux stream {half.Stream.Id} is being written to by another caller; it takes one at a time.");
            }

            _sending = true;
        }
    }

    private void End()
    {
        lock (half.Stream.Gate)
        {
            if (_drained is null)
            {
                half.Stream.Session.Writer.Leave(half.Signal);
                _sending = false;
                return;
            }
        }

        _ = DrainAsync();
    }

    // Nothing more will be written. True: what was is to be drained by the caller; else by the one who sends now, when it is done.
    private bool TryComplete()
    {
        StreamChange change;
        bool drains;
        lock (half.Stream.Gate)
        {
            if (_drained is not null)
            {
                return false;
            }

            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            half.Complete();
            change = half.Stream.Settle();
            drains = !_sending;
            _sending = true;
        }

        half.Stream.Apply(change);
        return drains;
    }

    // Only by the one who holds the right to send, for good. What becomes of it is _drained, which says all that there is to say; it
    // ends when the stream does.
    private async Task DrainAsync()
    {
        var observed = new ObservedWait(half.Stream.Session);
        try
        {
            while (TrySendPending(last: true) is not SendWait.None and var wait)
            {
                observed.Turn(wait);
                await half.Signal.WaitAsync().ConfigureAwait(false);
            }

            observed.Turn(SendWait.None);
            _drained!.SetResult();
        }
        catch (Exception failure)
        {
            observed.Turn(SendWait.None);
            var isLost = _pending.Length > 0;
            _pending.Clear();
            if (!isLost)
            {
                _drained!.SetResult();
                return;
            }

            half.Stream.ReportLostOutput(failure);
            _drained!.SetException(failure);
            _ = _drained.Task.Exception; // Observed: whoever does not wait for it has the line in the log.
        }
        finally
        {
            half.Stream.Session.Writer.Leave(half.Signal);
        }
    }
}
