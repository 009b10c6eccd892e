using System.Runtime.CompilerServices;
using Yamux.Protocol;

namespace Yamux.IO;

/// <content>The flusher: whoever finds no flush under way, until nothing is left.</content>
internal sealed partial class FrameWriter
{
    // A stopped writer's bulk ends with its last word. What was written may still stand in the kernel, out of sight, and an answer that had to wait for room there shows that it moves. But
    // a peer may ask for answers without end.
    private const int MaxLateWrites = 8;

    private const int MinCredits = 256; // How many entries the table of credit may keep.

    private FlushState _state;
    private Action? _onWritten;

    // The flusher's own: the write that is to be made, or is under way, and since when it waits.
    private ReadOnlyMemory<byte> _piece;
    private FrameCount _frameCount;
    private int _framesInPiece;
    private ConfiguredValueTaskAwaitable<System.IO.Pipelines.FlushResult>.ConfiguredValueTaskAwaiter _write;
    private long _waitingSince;
    private int _lateWrites;

    /// <summary>For tests: whether something is about to be sent, and waits for nothing but a thread.</summary>
    internal bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _state is not (FlushState.Idle or FlushState.Waiting);
            }
        }
    }

    private bool IsFlushingUnsynchronized => _state >= FlushState.Writing;

    /// <summary>Sends what was appended. Never waits and never throws; to be called without any lock held.</summary>
    public void Flush()
    {
        bool isFlusher;
        lock (_gate)
        {
            isFlusher = TryBeginUnsynchronized();
        }

        if (isFlusher)
        {
            RunWrites();
        }
    }

    /// <summary>Sends Data that was appended: at once or soon, as <see cref="FlushTiming"/> says.</summary>
    /// <param name="soon">That it answers what was read last is no reason to send it at once.</param>
    public void FlushData(bool soon = false)
    {
        lock (_gate)
        {
            if (IsFlushingUnsynchronized || WaitingUnsynchronized == 0)
            {
                return;
            }

            if (!_timing.TakeTurn(soon, WaitingUnsynchronized))
            {
                ScheduleUnsynchronized();
                return;
            }

            if (!TryBeginUnsynchronized())
            {
                return;
            }
        }

        RunWrites();
    }

    /// <summary>
    /// Sends what was appended, behind the work that the thread pool has now: what that appends leaves in the same write.
    /// </summary>
    public void FlushSoon()
    {
        lock (_gate)
        {
            ScheduleUnsynchronized();
        }
    }

    /// <summary>The transport was read, and <paramref name="readersWoken"/> readers have Data to answer now.</summary>
    public void OnInput(int readersWoken) => _timing.OnInput(readersWoken);

    void IThreadPoolWorkItem.Execute()
    {
        var seen = 0;
        for (var look = 0; ; look++)
        {
            lock (_gate)
            {
                if (_state == FlushState.HandedOver)
                {
                    _state = FlushState.Writing;
                    if (_end != WriterEnd.Abandoned)
                    {
                        break;
                    }

                    GoIdleUnsynchronized();
                }

                if (_state != (look == 0 ? FlushState.Scheduled : FlushState.Gathering))
                {
                    return;
                }

                if (!_timing.Gathers(look, seen, _bulk.Waiting))
                {
                    if (TryBeginUnsynchronized())
                    {
                        break;
                    }

                    return;
                }

                _state = FlushState.Gathering;
                seen = _bulk.Waiting;
            }

            Thread.Yield();
        }

        RunWrites();
    }

    private void ScheduleUnsynchronized()
    {
        if (_state == FlushState.Idle && WaitingUnsynchronized > 0)
        {
            _state = FlushState.Scheduled;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    // True: the caller is the flusher.
    private bool TryBeginUnsynchronized()
    {
        if (IsFlushingUnsynchronized || WaitingUnsynchronized == 0)
        {
            return false;
        }

        _state = TryPrepareUnsynchronized() ? FlushState.Writing : FlushState.Idle;
        TellIfIdleUnsynchronized(); // All that waited may have been dropped.
        return _state == FlushState.Writing;
    }

    // The context of whoever flushes, a request's Activity say, does not go on with the writes that follow his own.
    private void RunWrites()
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            RunWritesWithoutContext();
            return;
        }

        using (ExecutionContext.SuppressFlow())
        {
            RunWritesWithoutContext();
        }
    }

    private void RunWritesWithoutContext()
    {
        for (var count = 0; count < FlushTiming.MaxWritesInARow; count++)
        {
            try
            {
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, so that nothing is allocated to wait.
                _write = output.WriteAsync(_piece).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
            }
            catch (Exception error)
            {
                Fail(error);
                return;
            }

            if (!_write.IsCompleted)
            {
                Wait();
                return;
            }

            if (!TryPrepareNextWrite(waited: null))
            {
                return;
            }
        }

        lock (_gate)
        {
            _state = FlushState.HandedOver;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Wait()
    {
        _waitingSince = time.GetTimestamp();
        timer.OnWriteStarted();
        lock (_gate)
        {
            _state = FlushState.Waiting;
        }

        _write.UnsafeOnCompleted(_onWritten ??= OnWritten);
        if (IsAbandoned)
        {
            CancelWrite(); // It had not begun when Abandon did, and not every PipeWriter remembers that.
        }
    }

    private void OnWritten()
    {
        bool moved;
        lock (_gate)
        {
            _state = FlushState.Writing;
            moved = _end != WriterEnd.Stopped ? _piece.Length >= WritePace.MinBytesPerWrite
                : HasBulkUnsynchronized || ++_lateWrites <= MaxLateWrites;
        }

        timer.OnWriteEnded(moved);
        if (TryPrepareNextWrite(time.GetElapsedTime(_waitingSince)))
        {
            RunWrites();
        }
    }

    // The write has ended: true if there is another to make. What is little waits for more, unless it has waited for the write.
    private bool TryPrepareNextWrite(TimeSpan? waited)
    {
        try
        {
            if (_write.GetResult().IsCompleted)
            {
                throw new IOException("The transport takes no more bytes.");
            }
        }
        catch (Exception error)
        {
            Fail(error);
            return false;
        }

        metrics.OnWritten(_piece.Length, _framesInPiece);
        lock (_gate)
        {
            _pace.OnWritten(_piece.Length, waited);
            (_urgent.Taken > 0 ? _urgent : _bulk).OnWritten(_piece.Length);
            var goesOn = _urgent.Taken + _bulk.Taken > 0 || waited is not null || _end == WriterEnd.Stopped || FlushTiming.IsWorthAWrite(WaitingUnsynchronized);
            if (goesOn && TryPrepareUnsynchronized())
            {
                return true;
            }

            GoIdleUnsynchronized();
            return false;
        }
    }

    private void GoIdleUnsynchronized()
    {
        _state = FlushState.Idle;
        if (_end == WriterEnd.Abandoned)
        {
            ClearUnsynchronized();
        }

        _answersBeingSent = 0;
        AppendCreditsUnsynchronized();
        ScheduleUnsynchronized();
        TellIfIdleUnsynchronized();
    }

    private void TellIfIdleUnsynchronized()
    {
        if (_end != WriterEnd.None && _state == FlushState.Idle)
        {
            _idle?.TrySetResult();
            _idle = null;
        }
    }

    // The next write: of what this round has taken, or of the next round. False: there is nothing to send.
    private bool TryPrepareUnsynchronized()
    {
        if (_end == WriterEnd.Abandoned)
        {
            return false;
        }

        if (_urgent.Taken + _bulk.Taken == 0)
        {
            BeginRoundUnsynchronized();
        }

        var piece = (_urgent.Taken > 0 ? _urgent : _bulk).First;
        _piece = piece[..Math.Min(piece.Length, _pace.BytesPerWrite)];
        _framesInPiece = _frameCount.Count(piece, _piece.Length);
        return !_piece.IsEmpty;
    }

    // Both queues are looked at in the same instant. What a stream appends is in this round or in a later one than what it appended before, and urgent
    // frames leave first in each; so if it has no bulk that is not taken, what it says overtakes nothing of its own.
    private void BeginRoundUnsynchronized()
    {
        AppendCreditsUnsynchronized();
        _urgent.TakeAll();
        _bulk.Take(Math.Min(_pace.BytesPerWrite, MaxFramePayload));
        _bulk.TryPrepend(_urgent);
        _frameCount.Begin(metrics.CountsFrames);
        _answersBeingSent = _answersWaiting;
        _answersWaiting = 0;
        _round++;
        WakeUnsynchronized();
    }

    private void AppendCreditsUnsynchronized()
    {
        var count = _credits.Count;
        if (count == 0)
        {
            return;
        }

        foreach (var (streamId, delta) in _credits)
        {
            _urgent.Append(FrameHeader.Window(FrameFlags.None, streamId, delta));
        }

        _credits.Clear();
        if (_credits.Capacity > Math.Max(MinCredits, 8 * count))
        {
            _credits.TrimExcess(count); // It is cleared as a whole, however few were in it.
        }
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            EndUnsynchronized(WriterEnd.Abandoned);
        }

        onFailed(error); // Before anybody finds that the writer is idle, and asks why.
        lock (_gate)
        {
            GoIdleUnsynchronized();
        }
    }

    private void EndUnsynchronized(WriterEnd end)
    {
        _end = end;
        WakeUnsynchronized();
        if (!IsFlushingUnsynchronized && (end == WriterEnd.Abandoned || WaitingUnsynchronized == 0))
        {
            GoIdleUnsynchronized();
        }
    }

    private void ClearUnsynchronized()
    {
        _urgent.Clear();
        _bulk.Clear();
        _credits.Clear();
    }
}
