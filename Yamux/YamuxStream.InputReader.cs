using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Internal;

namespace Yamux;

/// <content>The reader's view of what the peer sends.</content>
public sealed partial class YamuxStream
{
    /// <summary>
    /// A pipe that the receive loop writes (always under the stream's gate) and the user reads. Unlike a bare pipe it tells
    /// the stream what was consumed, and shows a failure only after everything that came before it.
    /// </summary>
    private sealed class InputReader(YamuxStream stream) : PipeReader
    {
        // No threshold: the window bounds what is buffered. Readers are woken on the thread pool, never on the receive loop.
        private static readonly PipeOptions Options = new(
            readerScheduler: PipeScheduler.ThreadPool,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0,
            useSynchronizationContext: false);

        private readonly Pipe _pipe = new(Options);

        // Set under the gate, before the pipe's writer is completed; that is what makes it visible here.
        private YamuxException? _failure;

        // Guarded by the gate: whether the reader has a buffer in hand, which must stay valid until it advances, and how many
        // bytes it has consumed since the stream began.
        private bool _endShown;
        private bool _bufferOut;
        private long _consumed;

        // The reader's own: the last buffer it was given, and how far it has looked since the stream began.
        private ReadOnlySequence<byte> _lastRead;
        private long _examined;

        // What the reader was told. The pipe is not asked again: it may be completed while a read that waited still ends.
        private YamuxException? _told;

        /// <summary>How many bytes have been written here since the stream began. Guarded by the gate.</summary>
        public long Received { get; private set; }

        public void WriteUnsynchronized(ReadOnlySequence<byte> piece)
        {
            foreach (var part in piece)
            {
                _pipe.Writer.Write(part.Span);
            }

            Received += piece.Length;
        }

        public void FlushUnsynchronized()
        {
            var flush = _pipe.Writer.FlushAsync();
            Debug.Assert(flush.IsCompleted, "a pipe without threshold has nothing to wait for");
            flush.GetAwaiter().GetResult();
        }

        public void EndUnsynchronized() => _pipe.Writer.Complete();

        public void FailUnsynchronized(YamuxException? failure)
        {
            _failure ??= failure;
            _pipe.Writer.Complete();
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            if (_told is { } told)
            {
                return ValueTask.FromException<ReadResult>(told.ForCaller());
            }

            // With nothing kept back there is no window to overstay: what was consumed has become credit.
            if (_examined > _consumed)
            {
                stream.OnReaderWantsMore(_examined);
            }

            try
            {
                var read = _pipe.Reader.ReadAsync(cancellationToken);
                return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Check(read.Result)) : WaitAsync(read);
            }
            catch (YamuxException failure)
            {
                return ValueTask.FromException<ReadResult>(failure);
            }
            catch (InvalidOperationException) when (stream.IsInputCompleted)
            {
                return ValueTask.FromException<ReadResult>(NewCompletedException()); // By another thread, this instant or before.
            }
        }

        public override bool TryRead(out ReadResult result)
        {
            if (_told is { } told)
            {
                throw told.ForCaller();
            }

            if (!_pipe.Reader.TryRead(out result))
            {
                return false;
            }

            result = Check(result);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            // Measured first: afterwards the positions are no longer valid.
            long count = 0;
            long kept = 0;
            if (!_lastRead.IsEmpty)
            {
                count = _lastRead.Slice(_lastRead.Start, consumed).Length;
                kept = _lastRead.Slice(consumed, examined).Length;
            }

            _lastRead = default;
            var effects = StreamEffects.None;
            lock (stream._gate)
            {
                _pipe.Reader.AdvanceTo(consumed, examined);
                _bufferOut = false;
                _consumed += count;
                _examined = _consumed + kept;
                if (stream.IsInputCompleted)
                {
                    _pipe.Reader.Complete(); // It was put off for the buffer's sake, and the credit was given then.
                    return;
                }

                if (_endShown && _consumed == Received)
                {
                    effects = stream.SetUnsynchronized(StreamState.LetGo);
                }

                if (count > 0)
                {
                    stream.OnConsumedUnsynchronized((uint)count);
                }
            }

            stream.Run(effects);
            if (count > 0)
            {
                stream.Session.Writer.Flush();
            }
        }

        public override void CancelPendingRead() => _pipe.Reader.CancelPendingRead();

        public override void Complete(Exception? exception = null)
        {
            stream.OnInputCompleted();
        }

        /// <summary>Drops what is buffered. Returns how many bytes nobody has consumed.</summary>
        public long CompleteUnsynchronized()
        {
            if (!_bufferOut)
            {
                _pipe.Reader.Complete();
            }

            return Received - _consumed;
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
        {
            ReadResult result;
            try
            {
                result = await read.ConfigureAwait(false);
            }
            catch (InvalidOperationException) when (stream.IsInputCompleted)
            {
                throw NewCompletedException();
            }

            return Check(result);
        }

        private YamuxException NewCompletedException()
            => new(YamuxErrorCode.StreamAborted, $"The input of yamux stream {stream.Id} was completed at this end.");

        private ReadResult Check(ReadResult result)
        {
            var effects = StreamEffects.None;
            try
            {
                lock (stream._gate)
                {
                    return CheckUnsynchronized(result, ref effects);
                }
            }
            finally
            {
                stream.Run(effects);
            }
        }

        private ReadResult CheckUnsynchronized(ReadResult result, ref StreamEffects effects)
        {
            if (stream.IsInputCompleted)
            {
                _told = NewCompletedException(); // The buffer has gone back to its pool.
                throw _told.ForCaller();
            }

            var buffer = result.Buffer;
            if (result.IsCompleted && !result.IsCanceled && _failure is { } failure)
            {
                var unseen = _consumed + buffer.Length > _examined;
                if (!unseen || failure.ErrorCode == YamuxErrorCode.StreamAborted)
                {
                    _told = failure;
                    effects = stream.SetUnsynchronized(StreamState.LetGo);
                    throw failure.ForCaller();
                }
            }

            _lastRead = buffer;
            _bufferOut = true;

            // A failure is not an end: the reader comes back for it.
            var ended = result.IsCompleted && _failure is null;
            _endShown |= ended;
            if (ended && buffer.IsEmpty)
            {
                effects = stream.SetUnsynchronized(StreamState.LetGo);
            }

            return new ReadResult(buffer, result.IsCanceled, ended);
        }
    }
}
