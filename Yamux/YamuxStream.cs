using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Yamux.FlowControl;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <summary>
/// One stream of a <see cref="YamuxSession"/>: bytes in both directions, each closed on its own. Read from
/// <see cref="Input"/>, write to <see cref="Output"/>, or use <see cref="AsStream"/> for both.
/// </summary>
/// <remarks>
/// <para>One thread may read while another writes; neither side takes two callers at once. <see cref="Abort"/>,
/// <see cref="PipeReader.CancelPendingRead"/> and <see cref="PipeWriter.CancelPendingFlush"/> may be called from anywhere.</para>
/// <para>A stream that ends because it was aborted, or because its session ended, never reads as a clean end: what had
/// arrived can be read, then <see cref="YamuxException"/> is thrown.</para>
/// <para>Locks: the gate guards every field; under it the session's writer, timer and pings may be called, whose locks are
/// leaves. What follows from a change of state is done after the gate is left, by <see cref="Run"/>.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1711", Justification = "Stream is what the yamux spec calls it.")]
public sealed partial class YamuxStream : IDuplexPipe, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly InputReader _input;
    private readonly OutputWriter _output;
    private StreamState _state;
    private SendWindow _sendWindow = new(FrameHeader.InitialWindow);
    private YamuxException? _failure;
    private Deadline? _openDeadline;
    private Deadline? _closeDeadline;
    private CancellationTokenSource? _closed;
    private TaskCompletionSource? _acknowledged;
    private YamuxStreamAdapter? _adapter;

    internal YamuxStream(YamuxSession session, uint id, bool outbound)
    {
        Session = session;
        Id = id;
        _state = outbound ? StreamState.Outbound : StreamState.None;
        _input = new InputReader(this);
        _output = new OutputWriter(this);
    }

    /// <summary>The stream's id: odd if the client opened it, even if the server did; 1 to 2³²−1.</summary>
    public uint Id { get; }

    /// <summary>The session that the stream belongs to.</summary>
    public YamuxSession Session { get; }

    /// <summary>
    /// The bytes that the peer sends. What is consumed (not what is only examined) becomes credit for the peer. Completing
    /// it drops what still comes; completing both sides closes the stream as <see cref="DisposeAsync"/> does.
    /// </summary>
    public PipeReader Input => _input;

    /// <summary>
    /// The bytes for the peer. A flush completes when the session has taken all of them, and waits for the peer's credit;
    /// cancelled, it keeps what it could not send for the next flush. <see cref="PipeWriter.Complete"/> sends what was
    /// written and then FIN; completing with an exception aborts the stream, since FIN would read as a clean end.
    /// </summary>
    public PipeWriter Output => _output;

    /// <summary>
    /// Cancelled when the stream has left its session: both ends have closed it, it was aborted, or the session has ended.
    /// Input that had arrived by then can still be read.
    /// </summary>
    public CancellationToken Closed
    {
        get
        {
            lock (_gate)
            {
                if (_closed is null)
                {
                    _closed = new CancellationTokenSource();
                    if (_state.Has(StreamState.Removed))
                    {
                        _closed.Cancel();
                    }
                }

                return _closed.Token;
            }
        }
    }

    /// <summary>
    /// Completes when the peer has acknowledged the stream: by ACK, or by any other frame on it but RST, since some peers never
    /// send an ACK. Faulted with the <see cref="YamuxException"/> of the stream if that fails before. A stream that the peer has
    /// opened is acknowledged from the start.
    /// </summary>
    /// <remarks>
    /// Nothing need wait for it: a stream can be written to at once. It tells whether a peer takes the stream at all. Some
    /// acknowledge a stream when they accept it, some with the first frame that they have to send on it.
    /// </remarks>
    public Task Acknowledged
    {
        get
        {
            lock (_gate)
            {
                if (_acknowledged is null)
                {
                    if (!IsOutbound || _state.Has(StreamState.Acknowledged))
                    {
                        return Task.CompletedTask;
                    }

                    _acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    if (_failure is not null)
                    {
                        CompleteAcknowledged();
                    }
                }

                return _acknowledged.Task;
            }
        }
    }

    internal bool IsOutbound => _state.Has(StreamState.Outbound);

    /// <summary>
    /// Whether Data leaves behind the work that the thread pool has now, and with what that adds to it, instead of at once. For a
    /// server of many requests at a time, whose answers follow each other closely. Set before the first write.
    /// </summary>
    internal bool FlushesSoon { get; set; }

    /// <summary>Credit that waits in the session's writer. Guarded by the writer's gate, not by ours.</summary>
    internal uint QueuedCredit { get; set; }

    /// <summary>
    /// The stream as a <see cref="Stream"/>. Writes flush themselves; disposing it disposes the yamux stream. A cancelled
    /// write may have sent a part of its bytes.
    /// </summary>
    /// <returns>The same object each time.</returns>
    public Stream AsStream()
        => _adapter ?? Interlocked.CompareExchange(ref _adapter, new YamuxStreamAdapter(this), null) ?? _adapter;

    /// <summary>Aborts the stream in both directions and tells the peer (RST). What has not been read or sent is lost. Does nothing the second time.</summary>
    /// <param name="reason">What readers and writers of this end get as the inner exception of their <see cref="YamuxException"/>.</param>
    public void Abort(Exception? reason = null)
        => Fail(new YamuxException(YamuxErrorCode.StreamAborted, $"Yamux stream {Id} was aborted at this end.", reason), tellPeer: true);

    /// <summary>
    /// Closes the stream: what was written arrives, then FIN. Waits until the session has taken it all. If the peer has not
    /// closed its side <see cref="YamuxOptions.StreamCloseTimeout"/> later, the stream is reset. Until then what the peer
    /// sends is dropped; to make it stop, use <see cref="Abort"/>.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        _input.Complete();
        _output.Complete();
        return _output.DrainAsync();
    }

    /// <summary>Opens the stream on the wire. The session's lock for opening is held, so that ids rise there.</summary>
    internal void SendSyn()
    {
        lock (_gate)
        {
            var growth = OpenWindowUnsynchronized();
            _openDeadline = Session.Timer.AddOpen(this);
            Session.Writer.AppendControl(new FrameHeader(FrameType.WindowUpdate, FrameFlags.Syn, Id, growth));
            MeasureUnsynchronized();
        }
    }

    /// <summary>Tells the peer that its stream was accepted: once, and also if it has sent FIN by now.</summary>
    internal void SendAck()
    {
        lock (_gate)
        {
            if (!_state.Has(StreamState.Failed))
            {
                SetUnsynchronized(StreamState.Acknowledged);
                var growth = OpenWindowUnsynchronized();
                Session.Writer.AppendControl(new FrameHeader(FrameType.WindowUpdate, FrameFlags.Ack, Id, growth));
                MeasureUnsynchronized();
            }
        }

        Session.Writer.FlushSoon();
    }

    /// <summary>
    /// The peer has not answered in time. The deadline may have been met meanwhile, or begun anew: it had left its queue by
    /// then, and nobody could take it back.
    /// </summary>
    internal void OnDeadline(Deadline deadline, bool open)
    {
        StreamEffects effects;
        lock (_gate)
        {
            if (deadline != (open ? _openDeadline : _closeDeadline))
            {
                return;
            }

            var options = Session.Options;
            effects = FailUnsynchronized(
                open
                    ? new YamuxException(YamuxErrorCode.StreamOpenTimeout, $"Yamux stream {Id} was not acknowledged within {options.StreamOpenTimeout}.")
                    : new YamuxException(YamuxErrorCode.StreamCloseTimeout, $"Yamux stream {Id} was not closed by the peer within {options.StreamCloseTimeout}."),
                tellPeer: true);
        }

        Run(effects);
    }

    /// <summary>Ends the stream in both directions.</summary>
    internal void Fail(YamuxException failure, bool tellPeer)
    {
        StreamEffects effects;
        lock (_gate)
        {
            effects = FailUnsynchronized(failure, tellPeer);
        }

        Run(effects);
    }
}
