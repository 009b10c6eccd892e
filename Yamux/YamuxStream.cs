using System.Buffers;
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
/// <para>It composes a <see cref="ReceiveHalf"/> and a <see cref="SendHalf"/>, whose states are those of QUIC's streams, and owns the gate that
/// guards both; under it the session's writer, timer and pings may be called, whose locks are leaves. What a change of either half is to the
/// session, <see cref="StreamPhase"/>, follows from both in one place, <see cref="Settle"/>.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1711", Justification = "Stream is what the yamux spec calls it.")]
public sealed partial class YamuxStream : IDuplexPipe, IAsyncDisposable
{
    private readonly ReceiveHalf _receive;
    private readonly SendHalf _send;
    private bool _isAcknowledged;
    private StreamPhase _phase;
    private YamuxException? _failure;
    private bool _isDisposed;
    private Outcome _acknowledged;
    private LinkedListNode<Deadline>? _openDeadline;
    private StreamClosing? _closing;
    private CancellationTokenSource? _closed;
    private YamuxStreamAdapter? _adapter;

    internal YamuxStream(YamuxSession session, uint id)
    {
        Session = session;
        Id = id;
        IsOutbound = session.IsOurs(id);
        IsCounted = session.Metrics.CountsStreams;
        _receive = new ReceiveHalf(this);
        _send = new SendHalf(this);
        if (!IsOutbound)
        {
            _acknowledged.Set();
        }
    }

    /// <summary>The stream's id: odd if the client opened it, even if the server did; 1 to 2³²−1.</summary>
    public uint Id { get; }

    /// <summary>The session that the stream belongs to.</summary>
    public YamuxSession Session { get; }

    /// <summary>
    /// The bytes that the peer sends. What is consumed (not what is only examined) becomes credit for the peer. Completing
    /// it drops what still comes; completing both sides closes the stream as <see cref="DisposeAsync"/> does.
    /// </summary>
    public PipeReader Input => _receive.Reader;

    /// <summary>
    /// The bytes for the peer. A flush completes when the session has taken all of them, and waits for the peer's credit;
    /// cancelled, it keeps what it could not send for the next flush. <see cref="PipeWriter.Complete"/> sends what was
    /// written and then FIN; completing with an exception aborts the stream, since FIN would read as a clean end.
    /// </summary>
    public PipeWriter Output => _send.Writer;

    /// <summary>
    /// Cancelled when the stream has left its session: both ends have closed it, it was aborted, or the session has ended.
    /// Input that had arrived by then can still be read.
    /// </summary>
    public CancellationToken Closed
    {
        get
        {
            lock (Gate)
            {
                if (_closed is null)
                {
                    _closed = new CancellationTokenSource();
                    if (_phase >= StreamPhase.Closed)
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
            lock (Gate)
            {
                return _acknowledged.Task;
            }
        }
    }

    /// <summary>
    /// Completes when the peer's side has come to its end, and all that came before it was read. Faulted with <see cref="YamuxException"/> if that will not be: the stream
    /// was reset or aborted, its session has ended, or this end reads no more (<see cref="AbortRead"/>, <see cref="PipeReader.Complete"/>, <see cref="DisposeAsync"/>).
    /// Nobody has to look at the fault.
    /// </summary>
    /// <remarks>As <c>QuicStream.ReadsClosed</c>. Whoever does not read does not get to the end: <see cref="Closed"/> tells when nothing more can come.</remarks>
    public Task ReadsClosed
    {
        get
        {
            lock (Gate)
            {
                return _receive.Closed;
            }
        }
    }

    /// <summary>
    /// Completes when the session has taken all that was written, and FIN behind it. Faulted with <see cref="YamuxException"/> if that will not be: the stream was reset or aborted,
    /// or its session has ended. Nobody has to look at the fault.
    /// </summary>
    /// <remarks>As <c>QuicStream.WritesClosed</c>, but for what the peer has received: nothing in yamux tells that.</remarks>
    public Task WritesClosed
    {
        get
        {
            lock (Gate)
            {
                return _send.Closed;
            }
        }
    }

    /// <summary>
    /// Whether what is flushed leaves with all else that the work which the thread pool has now adds to it, in one write to the transport, instead of at once. For a server of many
    /// requests at a time, whose answers follow each other closely. Default false.
    /// </summary>
    public bool CoalesceWrites { get; set; }

    /// <summary>Guards the stream and its halves.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Whether this end has opened it.</summary>
    internal bool IsOutbound { get; }

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
        => Fail(YamuxException.OfStream(Id, YamuxErrorCode.StreamAborted, $"Yamux stream {Id} was aborted at this end.", reason), tellPeer: true);

    /// <summary>
    /// Reads no more: what has come and was not read is given back, what still comes is dropped, and credited, so that the peer can go on. A read that waits fails. Writing goes on.
    /// yamux has no word for it, so the peer does not hear of it; to make it stop, use <see cref="Abort"/>. Does nothing once reading has ended.
    /// </summary>
    /// <param name="reason">What readers of this end get as the inner exception of their <see cref="YamuxException"/>.</param>
    public void AbortRead(Exception? reason = null)
        => CompleteReads(YamuxException.OfStream(Id, YamuxErrorCode.StreamAborted, $"The reading of yamux stream {Id} was aborted at this end.", reason), disposed: false);

    /// <summary>Tells the peer that its stream was accepted, if <see cref="YamuxSession.AcceptStreamAsync(bool, CancellationToken)"/> was not to. Does nothing the second time, or if the stream has failed.</summary>
    /// <exception cref="InvalidOperationException">This end has opened the stream.</exception>
    public void Acknowledge()
    {
        if (IsOutbound)
        {
            throw new InvalidOperationException($"Yamux stream {Id} was opened by this end; it is the peer who acknowledges it.");
        }

        StreamChange change;
        lock (Gate)
        {
            if (_phase >= StreamPhase.Closed || _isAcknowledged)
            {
                return;
            }

            _isAcknowledged = true;
            Session.Writer.AppendControl(FrameHeader.Window(FrameFlags.Ack, Id, _receive.OpenWindow()));
            _receive.MeasureRoundTrip();
            change = Settle();
        }

        Session.Writer.FlushSoon();
        Apply(change);
    }

    /// <summary>
    /// Writes bytes, behind those that wait in <see cref="Output"/>, from the caller's memory. Completes when the session has taken all of them, which waits for the peer's credit.
    /// </summary>
    /// <param name="buffer">The bytes, which are the caller's again when the write has ended.</param>
    /// <param name="cancellationToken">Cancelled, a part of them may have been sent; the rest is not.</param>
    /// <exception cref="YamuxException">The stream or its session has failed.</exception>
    /// <exception cref="InvalidOperationException">The output is completed, or somebody else writes.</exception>
    /// <exception cref="ObjectDisposedException">The stream was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled, or <see cref="PipeWriter.CancelPendingFlush"/> was called.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => WriteAsync(new ReadOnlySequence<byte>(buffer), completeWrites: false, cancellationToken);

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="buffer">The bytes, which are the caller's again when the write has ended.</param>
    /// <param name="completeWrites">Whether they are the last: FIN leaves with them, and <see cref="Output"/> is completed. A write that fails or is cancelled completes nothing.</param>
    /// <param name="cancellationToken">Cancelled, a part of them may have been sent; the rest is not.</param>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, bool completeWrites, CancellationToken cancellationToken = default)
        => WriteAsync(new ReadOnlySequence<byte>(buffer), completeWrites, cancellationToken);

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> buffer, CancellationToken cancellationToken = default)
        => WriteAsync(buffer, completeWrites: false, cancellationToken);

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, bool, CancellationToken)"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> buffer, bool completeWrites, CancellationToken cancellationToken = default)
        => _send.Writer.WriteThroughAsync(buffer, completeWrites, cancellationToken);

    /// <summary>
    /// Closes the stream: what was written arrives, then FIN. Waits until the session has taken it all. If the peer has not given the credit for that
    /// within <see cref="YamuxOptions.StreamCloseTimeout"/>, or not closed its side as long after, the stream is reset. Until then what the peer
    /// sends is dropped; to make it stop, set <see cref="YamuxOptions.StreamDiscardTimeout"/>, or use <see cref="Abort"/>. Reads and writes that begin afterwards throw <see cref="ObjectDisposedException"/>, unless the stream had failed before: then
    /// they tell that. A read that waits fails with <see cref="YamuxErrorCode.StreamAborted"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        CompleteReads(disposed: true);
        await _send.Writer.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>As <see cref="DisposeAsync"/>, but it tells what was lost, and can be cut short.</summary>
    /// <param name="cancellationToken">Cancelled, the stream is aborted, and nothing more is waited for.</param>
    /// <exception cref="YamuxException">The stream has failed, and not all that was written could be sent.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; the stream was aborted.</exception>
    public async ValueTask CloseAsync(CancellationToken cancellationToken = default)
    {
        CompleteReads();
        await _send.Writer.CloseAsync(cancellationToken).ConfigureAwait(false);
    }
}
