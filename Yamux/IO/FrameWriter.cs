using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// Puts frames on the transport: the only code that touches its output.
/// </summary>
/// <remarks>
/// Any thread may append. A frame is copied, under the gate, into a buffer of the writer's own; Data that follows Data of the
/// same stream lengthens that frame. Whoever appends calls <see cref="Flush"/>, <see cref="FlushSoon"/> or <see cref="FlushData"/> after leaving its
/// locks: the one who finds no flush under way becomes the flusher, takes the buffer, leaving an empty one in its place, and
/// writes it to the transport outside the gate, until nothing is left. So frames that come while the transport is busy leave
/// together, in one write. Control frames never wait; Data waits when the buffer is full, and new streams when it is fuller
/// still, while a flush is under way. The gate is a leaf: nothing is called under it but <see cref="AsyncSignal.Set"/>, which runs no foreign code.
/// </remarks>
internal sealed partial class FrameWriter : IThreadPoolWorkItem
{
    /// <summary>How many bytes may wait behind a flush before Data frames have to wait.</summary>
    public const int MaxBacklog = 128 * 1024;

    /// <summary>
    /// The most bytes in one Data frame. Some peers refuse large frames (rust-yamux: over 1 MiB), and a large frame keeps
    /// other streams waiting.
    /// </summary>
    public const int MaxFramePayload = 64 * 1024;

    // What a stream says that has nothing in the backlog, and does not say much, does not wait behind the bulk of others: it has room of its own, beyond the last frame of theirs.
    private const int MaxSmallPayload = 1024;
    private const int MaxBacklogWithSmall = MaxBacklog + MaxFramePayload + (32 * 1024);

    // What stands in the kernel, or in a pipe behind the transport, is out of sight. Where a link is slow, or not known to be fast, a ping is put between so many bytes, so that
    // answers come as long as they move. It takes the value that no other ping has.
    private const int BytesPerProbe = 32 * 1024;

    // More than stands out of sight anywhere: a link that took so much, and of which no write took long, is fast.
    private const int ShowsFastLink = 768 * 1024;
    private static readonly FrameHeader Probe = new(FrameType.Ping, FrameFlags.Syn, 0, PendingPings.NoValue);

    private readonly Lock _gate = new();
    private readonly PipeWriter _output;
    private readonly IFrameWriterOwner _owner;
    private readonly TimeProvider _time;
    private readonly int _maxAnswers;
    private readonly bool _probes;
    private readonly Queue<AsyncSignal> _blocked = new();
    private readonly Queue<YamuxStream> _credits = new();
    private readonly TaskCompletionSource _idleAfterStop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _onWritten;
    private SegmentedBuffer _backlog = new(SmallestSegment);
    private bool _flushing;
    private bool _stopped;
    private bool _abandoned;
    private int _answersInBacklog;
    private int _answersBeingSent;

    // The Data frame at the end of the backlog: its header, its stream (0: there is none), and the length of its payload.
    private Memory<byte> _lastHeader;
    private uint _lastStreamId;
    private int _lastLength;

    private int _bytesSinceProbe;
    private long _pingsSent;

    // How often the backlog was taken. Who has appended since has something in it.
    private int _round;

    // Whether the backlog has more than Data, which nobody wants to gather for.
    private bool _hasControl;

    /// <param name="output">The transport's.</param>
    /// <param name="owner">Who is told what becomes of writes.</param>
    /// <param name="maxAnswers">How many answers that the peer provoked may wait.</param>
    /// <param name="probes">Whether it is told by the answers to pings that slow bytes move.</param>
    /// <param name="time">The clock.</param>
    public FrameWriter(PipeWriter output, IFrameWriterOwner owner, int maxAnswers, bool probes, TimeProvider time)
    {
        _output = output;
        _owner = owner;
        _time = time;
        _maxAnswers = maxAnswers;
        _probes = probes;
        _onWritten = OnWritten;
    }

    /// <summary>Completes when the writer was stopped and no flush is under way any more.</summary>
    public Task IdleAfterStop => _idleAfterStop.Task;

    /// <summary>How many pings were sent, and may be answered.</summary>
    public long PingsSent => Volatile.Read(ref _pingsSent);

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
            if (_abandoned)
            {
                return true;
            }

            if (_answersBeingSent + _answersInBacklog >= _maxAnswers)
            {
                return false;
            }

            _answersInBacklog++;
            AppendUnsynchronized(header);
            return true;
        }
    }

    /// <summary>
    /// Appends Data, at most <see cref="MaxFramePayload"/> bytes. Blocked, <paramref name="writable"/> is set when there is
    /// room again.
    /// </summary>
    public AppendResult TryAppendData(uint streamId, ReadOnlySequence<byte> payload, AsyncSignal writable)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return AppendResult.Stopped;
            }

            var length = (int)payload.Length;
            var isSmall = length <= MaxSmallPayload && writable.Round != _round;
            if (_flushing && _backlog.Length >= (isSmall ? MaxBacklogWithSmall : MaxBacklog))
            {
                // Once: it comes again whenever credit wakes it, and credit costs a peer that reads nothing twelve bytes.
                if (!writable.IsQueued)
                {
                    writable.IsQueued = true;
                    _blocked.Enqueue(writable);
                }

                return AppendResult.Blocked;
            }

            writable.Round = _round;
            if (_lastStreamId == streamId && _lastLength + length <= MaxFramePayload)
            {
                _lastLength += length;
                new FrameHeader(FrameType.Data, FrameFlags.None, streamId, (uint)_lastLength).Write(_lastHeader.Span);
            }
            else
            {
                AppendHeaderUnsynchronized(new FrameHeader(FrameType.Data, FrameFlags.None, streamId, (uint)length), length);
                _lastStreamId = streamId;
                _lastLength = length;
            }

            _backlog.Write(payload);
            ProbeUnsynchronized(length);
            return AppendResult.Appended;
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

    /// <summary>Takes no more frames but answers; what was appended, and these two behind it, is still sent.</summary>
    public void Stop(FrameHeader goAway, FrameHeader? ping)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            AppendUnsynchronized(goAway);
            if (ping is { } header)
            {
                AppendUnsynchronized(header);
            }

            _stopped = true;
            WakeBlockedUnsynchronized();
            if (!_flushing && _backlog.Length == 0)
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

        CancelWrite();
    }

    /// <summary>Completes the transport's output. Only after <see cref="IdleAfterStop"/>.</summary>
    public ValueTask CompleteAsync(Exception? error) => _output.CompleteAsync(error);

    private void CancelWrite()
    {
        try
        {
            _output.CancelPendingFlush();
        }
        catch (Exception)
        {
            // It is completed already, or a callback of its own failed. What is abandoned needs no more than an attempt.
        }
    }

    private void AbandonUnsynchronized()
    {
        _stopped = true;
        _abandoned = true;
        _backlog.Clear();
        _credits.Clear();
        _lastStreamId = 0;
        WakeBlockedUnsynchronized();
    }

    private void ProbeUnsynchronized(int length)
    {
        if (!_probes || Volatile.Read(ref _bytesSinceSlow) == ShowsFastLink)
        {
            return;
        }

        _bytesSinceProbe += length;
        if (_bytesSinceProbe >= BytesPerProbe)
        {
            _bytesSinceProbe = 0;
            AppendUnsynchronized(Probe);
        }
    }

    private void AppendUnsynchronized(FrameHeader header)
    {
        if (header.Type == FrameType.Ping && header.Has(FrameFlags.Syn))
        {
            Volatile.Write(ref _pingsSent, _pingsSent + 1);
        }

        AppendHeaderUnsynchronized(header, payloadLength: 0);
        _lastStreamId = 0;
        _hasControl = true;
    }

    private void AppendHeaderUnsynchronized(FrameHeader header, int payloadLength)
    {
        // The payload goes into the same array, if they fit into one.
        var size = _backlog.Length == 0 ? FrameHeader.Size + payloadLength : FrameHeader.Size;
        _lastHeader = _backlog.GetMemory(size);
        header.Write(_lastHeader.Span);
        _backlog.Advance(FrameHeader.Size);
    }
}
