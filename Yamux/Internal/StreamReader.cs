using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Yamux.Internal;

/// <summary>
/// The reader's view of a <see cref="ReceiveHalf"/>. Unlike a bare pipe it tells the stream what was consumed, and shows a failure
/// only after everything that came before it. It allocates nothing to wait.
/// </summary>
internal sealed partial class StreamReader(ReceiveHalf half) : PipeReader, IValueTaskSource<ReadResult>, IThreadPoolWorkItem
{
    // Guarded by the stream's gate, but for _wait and _registration, which belong to the read that waits.
    private ManualResetValueTaskSourceCore<bool> _wait;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;
    private ReaderState _state;
    private bool _cancelled;
    private bool _endShown;
    private uint _shown; // How many bytes, of what is in hand.

    private bool IsReady => half.HasNews || _cancelled;

    /// <summary>True if a reader waited and has something to read now. The caller, which holds the gate, must see to it that <see cref="Execute"/> runs.</summary>
    public bool TryWake()
    {
        if (_state != ReaderState.Waiting || !IsReady)
        {
            return false;
        }

        _state = ReaderState.Woken;
        return true;
    }

    /// <summary>Lets a reader go on, on a thread of the pool's, if it waits and has something to read. The gate is held.</summary>
    public void Wake()
    {
        if (TryWake())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>What it was shown is no longer the stream's. True if it has it in hand. The gate is held.</summary>
    public bool ForgetBuffer()
    {
        var isOut = _state is ReaderState.BufferOut or ReaderState.Tentative;
        if (isOut)
        {
            _state = ReaderState.None;
        }

        return isOut;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        YamuxException? failure = null;
        ReadResult result = default;
        StreamChange change = default;
        var credit = false;
        bool ready;
        lock (half.Stream.Gate)
        {
            ThrowIfReading();
            ready = IsReady;
            if (ready)
            {
                failure = Take(out result);
                change = half.Stream.Settle();
            }
            else
            {
                try
                {
                    credit = half.OnReaderWantsMore();
                    _state = ReaderState.Waiting;
                    _token = cancellationToken;
                    _wait.Reset();
                }
                catch (YamuxException stuck)
                {
                    return ValueTask.FromException<ReadResult>(stuck);
                }
            }
        }

        half.Stream.Apply(change);
        if (ready)
        {
            return failure is null ? new ValueTask<ReadResult>(result) : ValueTask.FromException<ReadResult>(failure.ForCaller());
        }

        if (credit)
        {
            half.Stream.Session.Writer.Flush();
        }

        var wait = new ValueTask<ReadResult>(this, _wait.Version);
        if (cancellationToken.CanBeCanceled)
        {
            // Outside the gate, which the callback takes; it may run at once, on this thread.
            _registration = cancellationToken.UnsafeRegister(
                static (reader, token) => ((StreamReader)reader!).OnTokenCancelled(token), this);
        }

        return wait;
    }

    public override bool TryRead(out ReadResult result)
    {
        YamuxException? failure;
        StreamChange change;
        lock (half.Stream.Gate)
        {
            ThrowIfReading();
            if (!IsReady)
            {
                result = default;
                return false;
            }

            failure = Take(out result);
            change = half.Stream.Settle();
        }

        half.Stream.Apply(change);
        return failure is null ? true : throw failure.ForCaller();
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        StreamChange change;
        bool credit;
        lock (half.Stream.Gate)
        {
            if (_state is not (ReaderState.BufferOut or ReaderState.Tentative))
            {
                if (half.State is ReceiveState.Discarding or ReceiveState.Closed)
                {
                    return; // The buffer was taken back meanwhile.
                }

                throw new InvalidOperationException($"No buffer of yamux stream {half.Stream.Id} is being read.");
            }

            var count = CountTo(consumed);
            var seen = CountTo(examined);
            _state = ReaderState.None;
            credit = half.OnRead(count, Math.Max(count, seen), _endShown);
            change = half.Stream.Settle();
        }

        half.Stream.Apply(change);
        if (credit)
        {
            half.Stream.Session.Writer.Flush();
        }
    }

    public override void CancelPendingRead()
    {
        lock (half.Stream.Gate)
        {
            _cancelled = true;
            Wake();
        }
    }

    public override void Complete(Exception? exception = null) => half.Stream.CompleteReads();

    /// <summary>Lets the reader that was woken go on, on this thread.</summary>
    public void Execute() => _wait.SetResult(true);

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        _wait.GetResult(token);
        _registration.Unregister();
        _registration = default;
        YamuxException? failure;
        ReadResult result;
        StreamChange change;
        lock (half.Stream.Gate)
        {
            _state = ReaderState.None;
            var cancelledBy = _token;
            _token = default;
            if (!IsReady)
            {
                throw new OperationCanceledException(cancelledBy);
            }

            failure = Take(out result);
            change = half.Stream.Settle();
        }

        half.Stream.Apply(change);
        return failure is null ? result : throw failure.ForCaller();
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _wait.OnCompleted(continuation, state, token, flags);

    // How many bytes of what was shown lie before a position. More may have come behind them since.
    private uint CountTo(SequencePosition end)
    {
        if (_shown == 0)
        {
            return 0; // An empty buffer is none of ours, and has one position.
        }

        var buffer = half.Content;
        var start = buffer.Start;
        if (ReferenceEquals(start.GetObject(), end.GetObject()))
        {
            var distance = end.GetInteger() - start.GetInteger();
            if (distance >= 0 && distance <= _shown)
            {
                return (uint)distance;
            }
        }

        return (uint)buffer.Slice(0, _shown).Slice(start, end).Length; // Throws for a position that is none of the buffer's.
    }

    // The token may be one of a read that has ended: it could not be taken back in time.
    private void OnTokenCancelled(CancellationToken token)
    {
        lock (half.Stream.Gate)
        {
            if (_state == ReaderState.Waiting && _token == token)
            {
                _state = ReaderState.Woken;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }
    }

    private void ThrowIfReading()
    {
        half.Stream.ThrowIfDisposed();
        if (_state is not (ReaderState.None or ReaderState.Tentative))
        {
            throw new InvalidOperationException(
                _state == ReaderState.BufferOut
                    ? $"The last buffer of yamux stream {half.Stream.Id} was not given back: AdvanceTo comes before the next read."
                    : $"Yamux stream {half.Stream.Id} is being read by another caller; it takes one at a time.");
        }
    }

    // The failure, if there is nothing to be read before it.
    private YamuxException? Take(out ReadResult result)
    {
        result = default;
        if (half.Failure is { } failure && (half.State is ReceiveState.Discarding or ReceiveState.Closed || (half.IsExamined && !_cancelled)))
        {
            half.Close();
            return failure;
        }

        // A failure is not an end: the reader comes back for it.
        var ended = half.IsEnded;
        var content = half.Content;
        _shown = (uint)content.Length;
        _state = _cancelled ? ReaderState.Tentative : ReaderState.BufferOut;
        _endShown |= ended;
        result = new ReadResult(content, _cancelled, ended);
        _cancelled = false;
        if (ended && content.IsEmpty)
        {
            half.Close();
        }

        return null;
    }
}
