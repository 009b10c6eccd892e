using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Internal;
using Yamux.IO;

namespace Yamux;

/// <content>The writer's view of what is sent to the peer.</content>
public sealed partial class YamuxStream
{
    /// <summary>
    /// Collects what is written until it is flushed, then sends it as credit comes. At most one caller sends at a time;
    /// after completion the drain, which sends the rest and FIN, takes that place.
    /// </summary>
    private sealed class OutputWriter(YamuxStream stream) : PipeWriter
    {
        private const int SegmentSize = 4096;

        private SegmentedBuffer _pending = new(SegmentSize);
        private bool _sending;
        private bool _completed;
        private bool _flushCancelled;
        private TaskCompletionSource? _drained;

        /// <summary>Set when there may be something to do: credit, room in the session, a failure, a cancellation.</summary>
        public AsyncSignal Signal { get; } = new();

        public override bool CanGetUnflushedBytes => true;

        public override long UnflushedBytes => _pending.Length;

        public void Wake() => Signal.Set();

        public override void Advance(int bytes) => _pending.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            ThrowIfCompleted();
            return _pending.GetMemory(sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled<FlushResult>(cancellationToken);
            }

            bool cancelled;
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
                cancelled = TakeFlushCancelled();
                if (!cancelled && !TrySendPending())
                {
                    return FlushSlowAsync(cancellationToken);
                }
            }
            catch (Exception failure)
            {
                End();
                return ValueTask.FromException<FlushResult>(failure);
            }

            End();
            return new ValueTask<FlushResult>(new FlushResult(cancelled, isCompleted: false));
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            stream.ThrowIfFailed();
            ThrowIfCompleted();
            if (_pending.Length > 0)
            {
                _pending.Write(source.Span);
                return await FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            // Straight from the caller's memory. What a cancelled write could not send is kept, as a pipe would keep it.
            var rest = new ReadOnlySequence<byte>(source);
            Begin();
            try
            {
                var cancelled = TakeFlushCancelled();
                while (!cancelled && !stream.TrySend(ref rest))
                {
                    await WaitAsync(cancellationToken).ConfigureAwait(false);
                    cancelled = TakeFlushCancelled();
                }

                Keep(rest);
                return new FlushResult(cancelled, isCompleted: false);
            }
            catch (OperationCanceledException)
            {
                Keep(rest);
                throw;
            }
            finally
            {
                End();
            }
        }

        /// <summary>As <see cref="WriteAsync"/>, but for a <see cref="Stream"/>: a cancelled write drops the rest.</summary>
        public ValueTask WriteThroughAsync(ReadOnlySequence<byte> source, CancellationToken cancellationToken)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled(cancellationToken);
            }

            try
            {
                Begin();
            }
            catch (YamuxException failure)
            {
                return ValueTask.FromException(failure);
            }

            try
            {
                var rest = source;
                if (!TrySendPending() || !stream.TrySend(ref rest))
                {
                    return WriteThroughSlowAsync(rest, cancellationToken);
                }
            }
            catch (Exception failure)
            {
                End();
                return ValueTask.FromException(failure);
            }

            End();
            return ValueTask.CompletedTask;
        }

        public override void CancelPendingFlush()
        {
            Volatile.Write(ref _flushCancelled, true);
            Wake();
        }

        public override void Complete(Exception? exception = null)
        {
            if (Volatile.Read(ref _completed))
            {
                return;
            }

            if (exception is not null)
            {
                stream.Abort(exception); // First, so that no drain can send FIN.
            }

            lock (stream._gate)
            {
                if (_completed)
                {
                    return;
                }

                _completed = true;
                _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            stream.OnOutputCompleted();
            lock (stream._gate)
            {
                if (_sending)
                {
                    return; // The one who sends starts the drain when it is done.
                }

                _sending = true;
            }

            _ = DrainRestAsync();
        }

        /// <summary>Waits until everything is sent, or will never be. Never fails: a reader or a flush tells of failures.</summary>
        public ValueTask DrainAsync()
        {
            lock (stream._gate)
            {
                return _drained is null || _drained.Task.IsCompleted ? default : new ValueTask(_drained.Task);
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<FlushResult> FlushSlowAsync(CancellationToken cancellationToken)
        {
            try
            {
                do
                {
                    await WaitAsync(cancellationToken).ConfigureAwait(false);
                    if (TakeFlushCancelled())
                    {
                        return new FlushResult(isCanceled: true, isCompleted: false);
                    }
                }
                while (!TrySendPending());
                return new FlushResult(isCanceled: false, isCompleted: false);
            }
            finally
            {
                End();
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        private async ValueTask WriteThroughSlowAsync(ReadOnlySequence<byte> rest, CancellationToken cancellationToken)
        {
            try
            {
                do
                {
                    await WaitAsync(cancellationToken).ConfigureAwait(false);
                }
                while (!TrySendPending() || !stream.TrySend(ref rest));
            }
            finally
            {
                End();
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        private async ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            using (cancellationToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), Signal))
            {
                await Signal.WaitAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        private bool TrySendPending()
        {
            if (_pending.Length == 0)
            {
                return true;
            }

            var rest = _pending.Content;
            try
            {
                return stream.TrySend(ref rest);
            }
            finally
            {
                _pending.Consume(_pending.Length - rest.Length);
            }
        }

        private void Keep(ReadOnlySequence<byte> rest)
        {
            foreach (var piece in rest)
            {
                _pending.Write(piece.Span);
            }
        }

        private bool TakeFlushCancelled() => Volatile.Read(ref _flushCancelled) && Interlocked.Exchange(ref _flushCancelled, false);

        private void ThrowIfCompleted()
        {
            if (Volatile.Read(ref _completed))
            {
                throw new InvalidOperationException($"The output of yamux stream {stream.Id} is completed; nothing can be written to it.");
            }
        }

        // A failure comes before all else: it is what the writer must know, and not that it is also completed.
        private void Begin()
        {
            lock (stream._gate)
            {
                stream.ThrowIfFailedUnsynchronized();
                ThrowIfCompleted();
                if (_sending)
                {
                    throw new InvalidOperationException($"Yamux stream {stream.Id} is being written to by another caller; it takes one at a time.");
                }

                _sending = true;
            }
        }

        private void End()
        {
            lock (stream._gate)
            {
                if (!_completed)
                {
                    _sending = false;
                    return;
                }
            }

            _ = DrainRestAsync();
        }

        // Only by the one who holds the right to send, which it gives to the drain for good. Whoever wants to know awaits
        // DrainAsync; it cannot fail, and ends when the stream does.
        private async Task DrainRestAsync()
        {
            try
            {
                while (!TrySendPending())
                {
                    await Signal.WaitAsync().ConfigureAwait(false);
                }

                stream.SendFin();
            }
            catch (Exception failure)
            {
                _pending.Clear();
                if (stream.Session.TryCountLogLine())
                {
                    YamuxLog.OutputLost(stream.Session.Logger, stream.Id, failure);
                }
            }
            finally
            {
                _drained!.TrySetResult();
            }
        }
    }
}
