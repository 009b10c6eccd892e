using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// Puts frames on the transport: the only code that touches its output.
/// </summary>
/// <remarks>
/// Any thread may append. A frame is copied under the gate, into the transport's own buffer, or, while a flush is under way
/// (the transport's writer cannot be written to then), into the backlog. Whoever appends calls <see cref="Flush"/> after
/// leaving its locks: the one who finds no flush under way becomes the flusher, and flushes outside the gate until nothing
/// is left. So frames that come while the transport is busy leave together, in one write. Control frames never wait;
/// Data waits when the backlog is full, and new streams when it is fuller still. The gate is a leaf: nothing is called under it but the transport's buffer and
/// <see cref="AsyncSignal.Set"/>, which runs no foreign code.
/// </remarks>
internal sealed partial class FrameWriter : IThreadPoolWorkItem
{
    /// <summary>How many bytes may wait behind a flush before Data frames have to wait.</summary>
    public const int MaxBacklog = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly PipeWriter _output;
    private readonly IFrameWriterOwner _owner;
    private readonly int _maxAnswers;
    private readonly SegmentedBuffer _backlog = new(16 * 1024);
    private readonly Queue<AsyncSignal> _blocked = new();
    private readonly Queue<YamuxStream> _credits = new();
    private readonly TaskCompletionSource _idleAfterStop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _onFlushed;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private bool _flushing;
    private bool _unflushed;
    private bool _stopped;
    private bool _abandoned;
    private Exception? _appendFailure;
    private int _answersInOutput;
    private int _answersInBacklog;
    private int _answersMoving;
    private long _movingLeft;

    public FrameWriter(PipeWriter output, IFrameWriterOwner owner, int maxAnswers)
    {
        _output = output;
        _owner = owner;
        _maxAnswers = maxAnswers;
        _onFlushed = OnFlushed;
    }

    /// <summary>Completes when the writer was stopped and no flush is under way any more.</summary>
    public Task IdleAfterStop => _idleAfterStop.Task;

    /// <summary>Whether frames that were appended have not been sent and will not be.</summary>
    public bool IsAbandoned
    {
        get
        {
            lock (_gate)
            {
                return _abandoned;
            }
        }
    }

    /// <summary>Appends a frame without payload. False if the session has ended; the frame was dropped.</summary>
    public bool AppendControl(FrameHeader header)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return false;
            }

            AppendUnsynchronized(header);
            return true;
        }
    }

    /// <summary>
    /// Appends a frame that the peer provoked. False if too many of them wait to be sent already: a peer that asks and does
    /// not read must not fill our memory.
    /// </summary>
    public bool TryAppendAnswer(FrameHeader header)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return true;
            }

            if (_answersInOutput + _answersMoving + _answersInBacklog >= _maxAnswers)
            {
                return false;
            }

            ref var count = ref _flushing ? ref _answersInBacklog : ref _answersInOutput;
            count++;
            AppendUnsynchronized(header);
            return true;
        }
    }

    /// <summary>Appends a Data frame. Blocked, <paramref name="writable"/> is set when there is room again.</summary>
    public AppendResult TryAppendData(uint streamId, ReadOnlySequence<byte> payload, AsyncSignal writable)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return AppendResult.Stopped;
            }

            if (_flushing && _backlog.Length >= MaxBacklog)
            {
                // Once: it comes again whenever credit wakes it, and credit costs a peer that reads nothing twelve bytes.
                if (!writable.IsQueued)
                {
                    writable.IsQueued = true;
                    _blocked.Enqueue(writable);
                }

                return AppendResult.Blocked;
            }

            AppendUnsynchronized(new FrameHeader(FrameType.Data, FrameFlags.None, streamId, (uint)payload.Length));
            CopyUnsynchronized(payload);
            return _stopped ? AppendResult.Stopped : AppendResult.Appended;
        }
    }

    /// <summary>
    /// Gives the peer credit. While a flush is under way there is one frame a stream to come, and more credit is added to it.
    /// </summary>
    public void AppendCredit(YamuxStream stream, uint delta)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            if (!_flushing)
            {
                AppendUnsynchronized(new FrameHeader(FrameType.WindowUpdate, FrameFlags.None, stream.Id, delta));
                return;
            }

            if (stream.QueuedCredit == 0)
            {
                _credits.Enqueue(stream);
            }

            stream.QueuedCredit += delta;
        }
    }

    /// <summary>
    /// Forgets credit that is still queued: the peer has closed the stream and needs none. With <paramref name="reset"/> it
    /// is told that the stream is aborted, after which there is nothing more to say about that stream.
    /// </summary>
    public void CancelCredit(YamuxStream stream, bool reset = false)
    {
        lock (_gate)
        {
            // The stream stays in the queue, where a credit of 0 is passed over.
            stream.QueuedCredit = 0;
            if (reset && !_stopped)
            {
                AppendUnsynchronized(new FrameHeader(FrameType.WindowUpdate, FrameFlags.Rst, stream.Id, 0));
            }
        }
    }

    /// <summary>Takes no more frames; what was appended, and <paramref name="last"/> behind it, is still sent.</summary>
    public void Stop(FrameHeader? last)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            if (last is { } header)
            {
                AppendUnsynchronized(header);
            }

            _stopped = true;
            WakeBlockedUnsynchronized();
            if (!_flushing && !_unflushed)
            {
                _idleAfterStop.TrySetResult();
            }
        }

        Flush();
    }

    /// <summary>Takes no more frames, sends nothing more, and ends the flush that is under way.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            AbandonUnsynchronized();
            if (!_flushing)
            {
                _idleAfterStop.TrySetResult();
            }
        }

        try
        {
            _output.CancelPendingFlush();
        }
        catch (Exception)
        {
            // It is completed already, or a callback of its own failed. What is abandoned needs no more than an attempt.
        }
    }

    /// <summary>Completes the transport's output. Only after <see cref="IdleAfterStop"/>.</summary>
    public ValueTask CompleteAsync(Exception? error) => _output.CompleteAsync(error);

    private void AbandonUnsynchronized()
    {
        _stopped = true;
        _abandoned = true;
        _backlog.Clear();
        _credits.Clear();
        WakeBlockedUnsynchronized();
    }

    private void AppendUnsynchronized(FrameHeader header)
    {
        if (_flushing)
        {
            header.Write(_backlog.GetSpan(FrameHeader.Size));
            _backlog.Advance(FrameHeader.Size);
            return;
        }

        try
        {
            header.Write(_output.GetSpan(FrameHeader.Size));
            _output.Advance(FrameHeader.Size);
            _unflushed = true;
        }
        catch (Exception error)
        {
            FailAppendUnsynchronized(error);
        }
    }

    private void CopyUnsynchronized(ReadOnlySequence<byte> payload)
    {
        if (_stopped)
        {
            return; // The header could not be written.
        }

        IBufferWriter<byte> target = _flushing ? _backlog : _output;
        try
        {
            foreach (var piece in payload)
            {
                target.Write(piece.Span);
            }
        }
        catch (Exception error)
        {
            FailAppendUnsynchronized(error);
        }
    }

    // The transport's writer threw, as one does that somebody has completed. Flush, which follows, tells the session.
    private void FailAppendUnsynchronized(Exception error)
    {
        _appendFailure ??= error;
        AbandonUnsynchronized();
        if (!_flushing)
        {
            _idleAfterStop.TrySetResult();
        }
    }
}
