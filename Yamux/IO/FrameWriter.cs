using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// Puts frames on the transport: the only code that touches its output.
/// </summary>
/// <remarks>
/// <para>Any thread may append. A frame is copied, under the gate, into one of two queues: the urgent one has what is small, which is control frames, and a
/// little Data of streams that have nothing in the other; the bulk one has the rest. Whatever a stream says while it has bulk stands behind that.</para>
/// <para>Whoever appends calls <see cref="Flush"/>, <see cref="FlushSoon"/> or <see cref="FlushData"/> after leaving its locks: the one who finds no flush
/// under way becomes the flusher, and writes to the transport outside the gate, until nothing is left. It goes in rounds: all that is urgent, then
/// the first frames of bulk, about one write's worth. So small frames wait for no more bulk than that, and bulk for no more than is urgent at one time.</para>
/// <para>Control frames never wait to be appended; Data waits its turn when too much bulk is queued, and new streams when very much is. The gate is a leaf:
/// nothing is called under it but <see cref="AsyncSignal.Set"/>, which runs no foreign code.</para>
/// </remarks>
/// <param name="output">The transport's.</param>
/// <param name="timer">Is told when a write has to wait, and when it has ended.</param>
/// <param name="onFailed">The transport failed, and the writer has stopped. Called with no lock held.</param>
/// <param name="maxAnswers">How many answers that the peer provoked may wait.</param>
/// <param name="probes">Whether it is told by the answers to pings that slow bytes move.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Where the writes are measured.</param>
internal sealed partial class FrameWriter(
    PipeWriter output, SessionTimer timer, Action<Exception> onFailed, int maxAnswers, bool probes, TimeProvider time, YamuxMetrics metrics)
    : IThreadPoolWorkItem
{
    /// <summary>
    /// The most bytes in one Data frame. Some peers refuse large frames (rust-yamux: over 1 MiB), and a large frame keeps
    /// other streams waiting.
    /// </summary>
    public const int MaxFramePayload = 64 * 1024;

    // What a stream says that has no bulk queued, and says little in one round, overtakes the bulk of others; once a round even if there is no room for
    // more, in which the last frame of theirs and 32 KiB of it find place.
    private const int MaxSmallPayload = 1024;
    private const int MaxWaitingWithSmall = 224 * 1024;

    private static readonly FrameHeader Probe = FrameHeader.Ping(PendingPings.NoValue); // A value that no other ping has.

    private readonly Lock _gate = new();
    private readonly FrameQueue _urgent = new();
    private readonly BulkQueue _bulk = new();
    private readonly TurnQueue _turns = new();
    private readonly Dictionary<uint, uint> _credits = new(StreamIdComparer.Instance);
    private WritePace _pace = new();
    private FlushTiming _timing;
    private volatile WriterEnd _end;
    private int _answersWaiting;
    private int _answersBeingSent;
    private int _round = 1;
    private long _pingsSent;
    private TaskCompletionSource? _idle;

    /// <summary>The most bytes in a frame that is new: few where the link is slow, so that small frames need not wait long for the rest of one.</summary>
    public int MaxPayload => _pace.MaxPayload;

    /// <summary>Completes when the writer was stopped, and nothing is being sent any more. Answers may still be, if it is not abandoned.</summary>
    public Task IdleAfterStop
    {
        get
        {
            lock (_gate)
            {
                _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var idle = _idle.Task;
                TellIfIdleUnsynchronized();
                return idle;
            }
        }
    }

    /// <summary>Whether more than small frames waits to be sent, or is being sent.</summary>
    public bool HasBulk
    {
        get
        {
            lock (_gate)
            {
                return HasBulkUnsynchronized;
            }
        }
    }

    /// <summary>How many pings were sent, and may be answered.</summary>
    public long PingsSent => Volatile.Read(ref _pingsSent);

    /// <summary>Whether frames that were appended have not been sent and will not be.</summary>
    public bool IsAbandoned => _end == WriterEnd.Abandoned;

    /// <summary>Appends a frame without payload, which is dropped if the session has ended.</summary>
    public void AppendControl(FrameHeader header)
    {
        lock (_gate)
        {
            if (_end == WriterEnd.None)
            {
                AppendUnsynchronized(_urgent, header);
            }
        }
    }

    /// <summary>As <see cref="AppendControl"/>, but it overtakes nothing of the stream's.</summary>
    public void AppendBehind(uint streamId, FrameHeader header)
    {
        lock (_gate)
        {
            if (_end == WriterEnd.None)
            {
                AppendUnsynchronized(_bulk.Has(streamId) ? _bulk : _urgent, header);
            }
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
            if (_end == WriterEnd.Abandoned)
            {
                return true;
            }

            if (_answersBeingSent + _answersWaiting >= maxAnswers)
            {
                return false;
            }

            _answersWaiting++;
            _urgent.Append(header);
            return true;
        }
    }

    /// <summary>
    /// Appends Data, at most <see cref="MaxFramePayload"/> bytes. Blocked, <paramref name="writable"/> is set when there is
    /// room again, and others wait for its turn until it has tried again, or <see cref="Leave"/>.
    /// </summary>
    public AppendResult TryAppendData(uint streamId, ReadOnlySequence<byte> payload, AsyncSignal writable)
    {
        lock (_gate)
        {
            if (_end != WriterEnd.None)
            {
                return AppendResult.Stopped;
            }

            var length = (int)payload.Length;
            ref var turn = ref writable.Turn;
            var before = turn.Round == _round ? turn.BytesInRound : 0;
            var isSmall = before + length <= MaxSmallPayload && WaitingUnsynchronized < MaxWaitingWithSmall && !_bulk.Has(streamId);
            if (!(isSmall && before == 0) && !_turns.MayAppend(turn, RoomUnsynchronized))
            {
                _turns.Wait(writable, length);
                return AppendResult.Blocked;
            }

            (isSmall ? _urgent : _bulk).AppendData(streamId, payload, _pace.MaxPayload);
            (turn.Round, turn.BytesInRound) = (_round, before + length);
            LeaveUnsynchronized(ref turn);
            if (probes && _pace.TakeProbe(length))
            {
                AppendUnsynchronized(_bulk, Probe);
            }

            return AppendResult.Appended;
        }
    }

    /// <summary>Whoever was blocked does not try again. Only by its sender itself.</summary>
    public void Leave(AsyncSignal writable)
    {
        if (writable.Turn.IsTaken)
        {
            lock (_gate)
            {
                LeaveUnsynchronized(ref writable.Turn);
            }
        }
    }

    /// <summary>
    /// Gives the peer credit. While a flush is under way there is one frame a stream to come, and more credit is added to it.
    /// </summary>
    public void AppendCredit(uint streamId, uint delta)
    {
        lock (_gate)
        {
            if (_end != WriterEnd.None)
            {
                return;
            }

            if (!IsFlushingUnsynchronized)
            {
                _urgent.Append(FrameHeader.Window(FrameFlags.None, streamId, delta));
                return;
            }

            CollectionsMarshal.GetValueRefOrAddDefault(_credits, streamId, out _) += delta;
        }
    }

    /// <summary>Forgets credit that is still queued: the peer has closed the stream and needs none.</summary>
    public void CancelCredit(uint streamId)
    {
        lock (_gate)
        {
            _credits.Remove(streamId);
        }
    }

    /// <summary>
    /// Forgets credit and Data that are still queued: nobody wants them, for one of the ends has aborted the stream. If it was this one,
    /// the peer is told. What a session has queued when it ends is not forgotten.
    /// </summary>
    public void Reset(uint streamId, bool tellPeer)
    {
        lock (_gate)
        {
            _credits.Remove(streamId);
            if (_end != WriterEnd.None)
            {
                return;
            }

            _bulk.Drop(streamId);
            if (tellPeer)
            {
                _urgent.Append(FrameHeader.Window(FrameFlags.Rst, streamId));
            }
        }
    }

    /// <summary>Takes no more frames but answers; what was appended, and these behind it, is still sent.</summary>
    public void Stop(params ReadOnlySpan<FrameHeader> lastWords)
    {
        lock (_gate)
        {
            if (_end != WriterEnd.None)
            {
                return;
            }

            foreach (var last in lastWords)
            {
                AppendUnsynchronized(_bulk, last);
            }

            EndUnsynchronized(WriterEnd.Stopped);
        }

        Flush();
    }

    /// <summary>Takes no more frames, sends nothing more, and ends the flush that is under way.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            EndUnsynchronized(WriterEnd.Abandoned);
        }

        CancelWrite();
    }

    /// <summary>Completes the transport's output. Only after <see cref="IdleAfterStop"/>.</summary>
    public ValueTask CompleteAsync(Exception? error) => output.CompleteAsync(error);

    private void AppendUnsynchronized(FrameQueue queue, FrameHeader header)
    {
        if (header.Type == FrameType.Ping && header.Has(FrameFlags.Syn))
        {
            Volatile.Write(ref _pingsSent, _pingsSent + 1);
        }

        queue.Append(header);
    }

    private void CancelWrite()
    {
        try
        {
            output.CancelPendingFlush();
        }
        catch (Exception)
        {
            // It is completed already, or a callback of its own failed. What is abandoned needs no more than an attempt.
        }
    }
}
