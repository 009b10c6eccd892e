using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Yamux.Internal;
using Yamux.IO;

namespace Yamux;

/// <content>The reader's view of what the peer sends.</content>
public sealed partial class YamuxStream
{
    /// <summary>
    /// A queue that the receive loop fills and the user empties, both under the stream's gate. Unlike a bare pipe it tells the
    /// stream what was consumed, and shows a failure only after everything that came before it. It holds memory while there
    /// are bytes that nobody has consumed, and allocates nothing to wait.
    /// </summary>
    private sealed class InputReader(YamuxStream stream) : PipeReader, IValueTaskSource<ReadResult>, IThreadPoolWorkItem
    {
        private const int SegmentSize = 4096;

        // Guarded by the gate, but for _wait and _registration, which belong to the read that waits.
        private SegmentedBuffer _buffer = new(SegmentSize);
        private ManualResetValueTaskSourceCore<bool> _wait;
        private CancellationTokenRegistration _registration;
        private CancellationToken _token;
        private ReadState _state;
        private bool _ended;
        private bool _cancelled;
        private bool _endShown;
        private bool _arriving; // A frame's header has come, and not all of its payload.
        private YamuxException? _failure;
        private YamuxException? _told;

        // The last buffer that the reader was given; and how many bytes have come, were consumed, and were examined, since
        // the stream began.
        private ReadOnlySequence<byte> _lastRead;
        private long _consumed;
        private long _examined;

        /// <summary>How many bytes have come since the stream began. Guarded by the gate.</summary>
        public long Received { get; private set; }

        /// <summary>The header of a frame has come, and its payload follows.</summary>
        public void BeginFrameUnsynchronized() => _arriving = true;

        /// <summary>Adds bytes that the peer sent. <paramref name="expected"/>: how many its frame still has, these among them.</summary>
        public void WriteUnsynchronized(ReadOnlySpan<byte> piece, int expected)
        {
            _buffer.Write(piece, expected);
            Received += piece.Length;
            _arriving = expected > piece.Length;
        }

        /// <summary>True if a reader waited and has something to read now. The caller must see to it that <see cref="Execute"/> runs.</summary>
        public bool TryWakeUnsynchronized()
        {
            if (_state != ReadState.Waiting || !IsReadyUnsynchronized())
            {
                return false;
            }

            _state = ReadState.Woken;
            return true;
        }

        /// <summary>Nothing more will come; with <paramref name="failure"/>, because of that.</summary>
        public void EndUnsynchronized(YamuxException? failure = null)
        {
            _ended = true;
            _failure ??= failure;
            WakeUnsynchronized();
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled<ReadResult>(cancellationToken);
            }

            var effects = StreamEffects.None;
            ReadResult result = default;
            YamuxException? failure;
            var credit = false;
            bool ready;
            lock (stream._gate)
            {
                ThrowIfReadingUnsynchronized();
                ready = IsReadyUnsynchronized();
                if (ready)
                {
                    failure = TakeUnsynchronized(out result, ref effects);
                }
                else
                {
                    failure = null;

                    // With nothing kept back there is no window to overstay: what was consumed has become credit. And a frame takes
                    // its credit when its header comes: what the reader waits for may be the rest of the payload.
                    credit = _examined > _consumed && !_arriving && stream.OnReaderWantsMoreUnsynchronized();

                    _state = ReadState.Waiting;
                    _token = cancellationToken;
                    _wait.Reset();
                }
            }

            stream.Run(effects);
            if (ready)
            {
                return failure is null ? new ValueTask<ReadResult>(result) : ValueTask.FromException<ReadResult>(failure.ForCaller());
            }

            if (credit)
            {
                stream.Session.Writer.Flush();
            }

            var wait = new ValueTask<ReadResult>(this, _wait.Version);
            if (cancellationToken.CanBeCanceled)
            {
                // Outside the gate, which the callback takes; it may run at once, on this thread.
                _registration = cancellationToken.UnsafeRegister(
                    static (reader, token) => ((InputReader)reader!).OnTokenCancelled(token), this);
            }

            return wait;
        }

        public override bool TryRead(out ReadResult result)
        {
            var effects = StreamEffects.None;
            YamuxException? failure;
            lock (stream._gate)
            {
                ThrowIfReadingUnsynchronized();
                if (!IsReadyUnsynchronized())
                {
                    result = default;
                    return false;
                }

                failure = TakeUnsynchronized(out result, ref effects);
            }

            stream.Run(effects);
            return failure is null ? true : throw failure.ForCaller();
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            StreamEffects effects;
            bool credit;
            lock (stream._gate)
            {
                if (stream.IsInputCompleted)
                {
                    return; // What was unread became credit then.
                }

                if (_state is not (ReadState.BufferOut or ReadState.Tentative))
                {
                    throw new InvalidOperationException($"No buffer of yamux stream {stream.Id} is being read.");
                }

                var count = Distance(_lastRead, _lastRead.Start, consumed);
                var seen = Distance(_lastRead, _lastRead.Start, examined);
                effects = AdvanceUnsynchronized(count, Math.Max(count, seen), out credit);
            }

            stream.Run(effects);
            if (credit)
            {
                stream.Session.Writer.Flush();
            }
        }

        public override void CancelPendingRead()
        {
            lock (stream._gate)
            {
                _cancelled = true;
                WakeUnsynchronized();
            }
        }

        public override void Complete(Exception? exception = null) => stream.OnInputCompleted();

        /// <summary>Drops what is buffered. Returns how many bytes nobody has consumed.</summary>
        public long CompleteUnsynchronized()
        {
            _ended = true;
            if (_state is ReadState.BufferOut or ReadState.Tentative)
            {
                // Left to the garbage collector: the reader may still look at it, and need not say when it no longer does.
                _buffer = new SegmentedBuffer(SegmentSize);
                _lastRead = default;
                _state = ReadState.None;
            }
            else
            {
                _buffer.Clear();
            }

            WakeUnsynchronized();
            return Received - _consumed;
        }

        /// <summary>Lets the reader that was woken go on, on this thread.</summary>
        public void Execute() => _wait.SetResult(true);

        ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
        {
            _wait.GetResult(token);
            _registration.Unregister();
            _registration = default;
            var effects = StreamEffects.None;
            YamuxException? failure;
            ReadResult result;
            lock (stream._gate)
            {
                _state = ReadState.None;
                var cancelledBy = _token;
                _token = default;
                if (!IsReadyUnsynchronized())
                {
                    throw new OperationCanceledException(cancelledBy);
                }

                failure = TakeUnsynchronized(out result, ref effects);
            }

            stream.Run(effects);
            return failure is null ? result : throw failure.ForCaller();
        }

        ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _wait.GetStatus(token);

        void IValueTaskSource<ReadResult>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
            => _wait.OnCompleted(continuation, state, token, flags);

        private static long Distance(in ReadOnlySequence<byte> buffer, SequencePosition start, SequencePosition end)
        {
            if (ReferenceEquals(start.GetObject(), end.GetObject()))
            {
                var distance = end.GetInteger() - start.GetInteger();
                if (distance >= 0 && distance <= buffer.Length)
                {
                    return distance;
                }
            }

            return buffer.Slice(start, end).Length; // Throws for a position that is none of the buffer's.
        }

        // The token may be one of a read that has ended: it could not be taken back in time.
        private void OnTokenCancelled(CancellationToken token)
        {
            lock (stream._gate)
            {
                if (_state == ReadState.Waiting && _token == token)
                {
                    _state = ReadState.Woken;
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                }
            }
        }

        private void WakeUnsynchronized()
        {
            if (TryWakeUnsynchronized())
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }

        private void ThrowIfReadingUnsynchronized()
        {
            if (_state is not (ReadState.None or ReadState.Tentative))
            {
                throw new InvalidOperationException(
                    _state == ReadState.BufferOut
                        ? $"The last buffer of yamux stream {stream.Id} was not given back: AdvanceTo comes before the next read."
                        : $"Yamux stream {stream.Id} is being read by another caller; it takes one at a time.");
            }
        }

        private bool IsReadyUnsynchronized() => Received > _examined || _ended || _cancelled || _told is not null;

        // The failure, if there is nothing to be read before it.
        private YamuxException? TakeUnsynchronized(out ReadResult result, ref StreamEffects effects)
        {
            result = default;
            if (_told is not null)
            {
                return _told;
            }

            if (stream.IsInputCompleted)
            {
                return _told = new YamuxException(
                    YamuxErrorCode.StreamAborted, $"The input of yamux stream {stream.Id} was completed at this end.");
            }

            var cancelled = _cancelled;
            _cancelled = false;
            var buffer = _buffer.Content;
            if (_ended && !cancelled && _failure is { } failure)
            {
                var unseen = _consumed + buffer.Length > _examined;
                if (!unseen || failure.ErrorCode == YamuxErrorCode.StreamAborted)
                {
                    effects = stream.SetUnsynchronized(StreamState.LetGo);
                    return _told = failure;
                }
            }

            _lastRead = buffer;
            _state = cancelled ? ReadState.Tentative : ReadState.BufferOut;

            // A failure is not an end: the reader comes back for it.
            var ended = _ended && _failure is null;
            _endShown |= ended;
            if (ended && buffer.IsEmpty)
            {
                effects = stream.SetUnsynchronized(StreamState.LetGo);
            }

            result = new ReadResult(buffer, cancelled, ended);
            return null;
        }

        private StreamEffects AdvanceUnsynchronized(long count, long seen, out bool credit)
        {
            _lastRead = default;
            _state = ReadState.None;
            _buffer.Consume(count);
            _examined = Math.Max(_examined, _consumed + seen);
            _consumed += count;
            var effects = StreamEffects.None;
            if (_endShown && _consumed == Received)
            {
                effects = stream.SetUnsynchronized(StreamState.LetGo);
            }

            credit = count > 0 && stream.OnConsumedUnsynchronized((uint)count);
            return effects;
        }

        /// <summary>Where the reader is.</summary>
        private enum ReadState
        {
            None,

            /// <summary>It waits for bytes, or the end.</summary>
            Waiting,

            /// <summary>It waited, and is about to go on.</summary>
            Woken,

            /// <summary>It has a buffer in hand, which must stay valid until it advances.</summary>
            BufferOut,

            /// <summary>The same, from a read that was cancelled: it may advance, or read again as if it had not read.</summary>
            Tentative,
        }
    }
}
