using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Protocol;

namespace Yamux.IO;

/// <content>The flusher: whoever finds no flush under way, until nothing is left.</content>
internal sealed partial class FrameWriter
{
    // A write that does not end within ConnectionWriteTimeout ends the session, so it must be one that a slow link can do.
    private const int MaxBytesPerFlush = 64 * 1024;

    // A thread that flushes for others gives up after so many flushes in a row: its own work waits meanwhile.
    private const int MaxFlushesInARow = 8;

    /// <summary>Sends what was appended. Never waits and never throws; to be called without any lock held.</summary>
    public void Flush()
    {
        Exception? failure;
        lock (_gate)
        {
            failure = _appendFailure;
            _appendFailure = null;
            if (failure is null)
            {
                if (_flushing || !_unflushed || _abandoned)
                {
                    return;
                }

                _flushing = true;
                _unflushed = false;
            }
        }

        if (failure is null)
        {
            RunFlushes();
        }
        else
        {
            _owner.OnWriteFailed(failure);
        }
    }

    void IThreadPoolWorkItem.Execute() => RunFlushes();

    private void RunFlushes()
    {
        for (var count = 0; count < MaxFlushesInARow; count++)
        {
            try
            {
#pragma warning disable CA2012 // The awaiter is kept, and asked for its result once, so that nothing is allocated to wait.
                _flush = _output.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
            }
            catch (Exception error)
            {
                Fail(error);
                return;
            }

            if (!_flush.IsCompleted)
            {
                _owner.OnWriteStarted();
                _flush.UnsafeOnCompleted(_onFlushed);
                return;
            }

            if (!TryPrepareNextFlush())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnFlushed()
    {
        _owner.OnWriteEnded();
        if (TryPrepareNextFlush())
        {
            RunFlushes();
        }
    }

    // The flush has ended: true if there is more to flush.
    private bool TryPrepareNextFlush()
    {
        try
        {
            if (_flush.GetResult().IsCompleted)
            {
                throw new IOException("The transport takes no more bytes.");
            }

            lock (_gate)
            {
                _answersInOutput = 0;
                if (!_abandoned)
                {
                    MoveBacklogUnsynchronized();
                    WakeBlockedUnsynchronized();
                }

                if (_unflushed && !_abandoned)
                {
                    _unflushed = false;
                    return true;
                }

                _flushing = false;
                if (_stopped)
                {
                    _idleAfterStop.TrySetResult();
                }

                return false;
            }
        }
        catch (Exception error)
        {
            Fail(error);
            return false;
        }
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            AbandonUnsynchronized();
            _flushing = false;
            _idleAfterStop.TrySetResult();
        }

        _owner.OnWriteFailed(error);
    }

    private void MoveBacklogUnsynchronized()
    {
        while (_credits.TryDequeue(out var stream))
        {
            if (stream.QueuedCredit != 0)
            {
                AppendUnsynchronized(new FrameHeader(FrameType.WindowUpdate, FrameFlags.None, stream.Id, stream.QueuedCredit));
                stream.QueuedCredit = 0;
            }
        }

        if (_backlog.Length == 0)
        {
            return;
        }

        // The backlog may never be empty while it is moved piece by piece, so answers are counted off when the last of
        // those that were in it at one time has been moved.
        if (_answersMoving == 0)
        {
            (_answersMoving, _answersInBacklog) = (_answersInBacklog, 0);
            _movingLeft = _backlog.Length;
        }

        var count = Math.Min(_backlog.Length, MaxBytesPerFlush);
        foreach (var piece in _backlog.Content.Slice(0, count))
        {
            _output.Write(piece.Span);
        }

        _backlog.Consume(count);
        _unflushed = true;
        _movingLeft -= count;
        if (_movingLeft <= 0)
        {
            (_answersInOutput, _answersMoving) = (_answersMoving, 0);
        }
    }
}
