using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Protocol;

namespace Yamux.IO;

/// <content>The flusher: whoever finds no flush under way, until nothing is left.</content>
internal sealed partial class FrameWriter
{
    // That a write ends is how a session sees its bytes move, so it must be one that a slow link can do. It has room for a full
    // frame with its header, and for the control frames before it. Where writes take long they become smaller; until it is known whether they do, they are small.
    private const int MaxBytesPerWrite = 80 * 1024;
    private const int MinBytesPerWrite = 4 * 1024;
    private const int FirstBytesPerWrite = 16 * 1024;
    private static readonly TimeSpan LongWrite = TimeSpan.FromSeconds(1);

    // A thread that flushes for others gives up after so many writes in a row: its own work waits meanwhile.
    private const int MaxWritesInARow = 8;

    private const int SmallestSegment = 4096;

    // So much that waiting for more would not save much.
    private const int WorthOneWrite = 64 * 1024;

    // How often a flush that was put off yields to somebody who is still adding to it.
    private const int MaxLooks = 32;

    // How many small writes leave one by one although nothing was read: somebody who has more to say than this goes on.
    private const int MaxWritesAlone = 4;

    // The flusher's own.
    private SegmentedBuffer _sending = new(SmallestSegment);
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _write;
    private int _writing;
    private int _bytesPerWrite = FirstBytesPerWrite;
    private int _bytesSinceSlow; // Up to ShowsFastLink.
    private long _waitingSince;

    // A flush goes on, or begins, when the work item that was queued for it runs.
    private bool _handedOver;
    private bool _scheduled;

    // For IsBusy alone: the write that is under way waits for the transport.
    private bool _waiting;

    // How many readers the last transport read has woken that have not answered, and how many writes there were since, up to the limit.
    private int _readersWoken;
    private int _writesSinceInput;

    /// <summary>Sends what was appended. Never waits and never throws; to be called without any lock held.</summary>
    public void Flush()
    {
        bool isFlusher;
        lock (_gate)
        {
            isFlusher = TryBecomeFlusherUnsynchronized();
        }

        if (isFlusher)
        {
            RunWrites();
        }
    }

    /// <summary>
    /// Sends Data that was appended: at once where it answers what was read last or is worth a write of its own, else soon.
    /// So one request and its answer go without a change of threads, and many small writes leave together.
    /// </summary>
    /// <param name="soon">That it answers what was read last is no reason to send it at once.</param>
    public void FlushData(bool soon = false)
    {
        lock (_gate)
        {
            if (_flushing || _abandoned || _backlog.Length == 0)
            {
                return;
            }

            // Of the readers that were woken by one transport read, each may have something to say now, and none later.
            var alone = !soon && _readersWoken <= 1 && _writesSinceInput < MaxWritesAlone;
            _readersWoken = Math.Max(_readersWoken - 1, 0);
            if (!alone && _backlog.Length < WorthOneWrite)
            {
                ScheduleUnsynchronized();
                return;
            }

            _writesSinceInput = Math.Min(_writesSinceInput + 1, MaxWritesAlone);
            _flushing = true;
            TakeBacklogUnsynchronized();
        }

        RunWrites();
    }

    /// <summary>The transport was read, and <paramref name="readersWoken"/> readers have Data to answer now.</summary>
    public void OnInput(int readersWoken)
    {
        // A hint for the next flush and no more: without a lock it may be overwritten at once, and then one flush is a little late.
        Volatile.Write(ref _readersWoken, readersWoken);
        Volatile.Write(ref _writesSinceInput, 0);
    }

    /// <summary>
    /// Sends what was appended, behind the work that the thread pool has now: what that appends leaves in the same write.
    /// </summary>
    public void FlushSoon()
    {
        lock (_gate)
        {
            if (!_flushing && _backlog.Length > 0)
            {
                ScheduleUnsynchronized();
            }
        }
    }

    /// <summary>For tests: whether something is about to be sent, and waits for nothing but a thread.</summary>
    internal bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return (_flushing && !_waiting) || (_scheduled && _backlog.Length > 0);
            }
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (TryTakeOver() || TryBecomeFlusherSoon())
        {
            RunWrites();
        }
    }

    private bool TryTakeOver()
    {
        lock (_gate)
        {
            if (!_handedOver)
            {
                return false;
            }

            _handedOver = false;
            if (!_abandoned)
            {
                return true;
            }

            _sending.Clear();
            _flushing = false;
            _idleAfterStop.TrySetResult();
            return false;
        }
    }

    // Whoever writes many small pieces is given the time to write some more, and sends them itself when they are worth it.
    private bool TryBecomeFlusherSoon()
    {
        long seen = 0;
        for (var look = 0; ; look++)
        {
            lock (_gate)
            {
                var length = _backlog.Length;
                var gathers = _writesSinceInput == MaxWritesAlone && !_hasControl && length > seen && length < WorthOneWrite;
                if (_flushing || !gathers || look == MaxLooks)
                {
                    _scheduled = false;
                    return TryBecomeFlusherUnsynchronized();
                }

                seen = length;
            }

            Thread.Yield();
        }
    }

    private bool TryBecomeFlusherUnsynchronized()
    {
        if (_flushing || _abandoned || _backlog.Length == 0)
        {
            return false;
        }

        _flushing = true;
        TakeBacklogUnsynchronized();
        return true;
    }

    private void RunWrites()
    {
        for (var count = 0; count < MaxWritesInARow; count++)
        {
            try
            {
                var piece = _sending.First;
                _writing = Math.Min(piece.Length, _bytesPerWrite);
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, so that nothing is allocated to wait.
                _write = _output.WriteAsync(piece[.._writing]).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
            }
            catch (Exception error)
            {
                Fail(error);
                return;
            }

            if (!_write.IsCompleted)
            {
                _waitingSince = _time.GetTimestamp();
                _owner.OnWriteStarted();
                Volatile.Write(ref _waiting, true);
                _write.UnsafeOnCompleted(_onWritten);
                if (Volatile.Read(ref _abandoned))
                {
                    CancelWrite(); // It had not begun when Abandon did, and not every PipeWriter remembers that.
                }

                return;
            }

            if (_writing == _bytesPerWrite)
            {
                // At once, and so it goes up step by step only: until the buffers on the way are full, that says little.
                _bytesPerWrite = Math.Min(_bytesPerWrite + MinBytesPerWrite, MaxBytesPerWrite);
            }

            if (!TryPrepareNextWrite(atOnce: false))
            {
                return;
            }
        }

        lock (_gate)
        {
            _handedOver = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnWritten()
    {
        Volatile.Write(ref _waiting, false);
        _owner.OnWriteEnded(_writing >= MinBytesPerWrite);
        var waited = _time.GetElapsedTime(_waitingSince);
        if (waited > LongWrite)
        {
            Volatile.Write(ref _bytesSinceSlow, 0);
        }

        FitToPace(waited);
        if (TryPrepareNextWrite(atOnce: true))
        {
            RunWrites();
        }
    }

    private void FitToPace(TimeSpan waited)
    {
        if (waited > LongWrite)
        {
            _bytesPerWrite = Math.Max(_bytesPerWrite / 2, MinBytesPerWrite);
        }
        else if (waited < LongWrite / 4 && _writing == _bytesPerWrite)
        {
            _bytesPerWrite = Math.Min(_bytesPerWrite * 2, MaxBytesPerWrite);
        }
    }

    // The write has ended: true if there is more to write. What is little waits for more unless it has waited for the write.
    private bool TryPrepareNextWrite(bool atOnce)
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

        _sending.Consume(_writing);
        Volatile.Write(ref _bytesSinceSlow, Math.Min(_bytesSinceSlow + _writing, ShowsFastLink));
        lock (_gate)
        {
            if (_abandoned)
            {
                _sending.Clear();
            }
            else if (_sending.Length > 0)
            {
                return true;
            }
            else if (atOnce || _stopped || _backlog.Length >= WorthOneWrite)
            {
                TakeBacklogUnsynchronized();
                if (_sending.Length > 0)
                {
                    return true;
                }
            }

            _flushing = false;
            _answersBeingSent = 0;
            AppendCreditsUnsynchronized();
            if (_backlog.Length > 0)
            {
                ScheduleUnsynchronized();
                return false;
            }

            if (_stopped)
            {
                _idleAfterStop.TrySetResult();
            }

            return false;
        }
    }

    private void Fail(Exception error)
    {
        _sending.Clear();
        lock (_gate)
        {
            AbandonUnsynchronized();
            _flushing = false;
            _idleAfterStop.TrySetResult();
        }

        _owner.OnWriteFailed(error);
    }

    private void ScheduleUnsynchronized()
    {
        if (!_scheduled)
        {
            _scheduled = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void AppendCreditsUnsynchronized()
    {
        while (_credits.TryDequeue(out var stream))
        {
            if (stream.QueuedCredit != 0)
            {
                AppendUnsynchronized(new FrameHeader(FrameType.WindowUpdate, FrameFlags.None, stream.Id, stream.QueuedCredit));
                stream.QueuedCredit = 0;
            }
        }
    }

    // All that waits, and room for as much again: the two buffers change places.
    private void TakeBacklogUnsynchronized()
    {
        AppendCreditsUnsynchronized();

        // Arrays as large as what came last: little traffic holds little memory, and much leaves in large writes.
        var size = (int)Math.Clamp(_backlog.Length, SmallestSegment, SegmentedBuffer.MaxSegmentSize);
        (_backlog, _sending) = (_sending, _backlog);
        _backlog.SegmentSize = size;
        _hasControl = false;
        _answersBeingSent = _answersInBacklog;
        _answersInBacklog = 0;
        _lastStreamId = 0;
        _round++;
        WakeBlockedUnsynchronized();
    }
}
