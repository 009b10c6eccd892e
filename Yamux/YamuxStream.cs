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
    private Deadline? _openDeadline;
    private Deadline? _closeDeadline;
    private SendState _closeDeadlineOf;
    private long _doneAt;
    private CancellationTokenSource? _closed;
    private TaskCompletionSource? _acknowledged;
    private YamuxStreamAdapter? _adapter;

    internal YamuxStream(YamuxSession session, uint id)
    {
        Session = session;
        Id = id;
        IsOutbound = id % 2 == (session.Role == YamuxRole.Client ? 1 : 0);
        _receive = new ReceiveHalf(this);
        _send = new SendHalf(this);
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
                if (_acknowledged is null)
                {
                    if (!IsOutbound || _isAcknowledged)
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

    /// <summary>Guards the stream and its halves.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Whether this end has opened it.</summary>
    internal bool IsOutbound { get; }

    /// <summary>
    /// Whether Data leaves behind the work that the thread pool has now, and with what that adds to it, instead of at once. For a
    /// server of many requests at a time, whose answers follow each other closely. Set before the first write.
    /// </summary>
    internal bool FlushesSoon { get; set; }

    /// <summary>Credit that waits in the session's writer. Guarded by the writer's gate, not by ours.</summary>
    internal uint QueuedCredit { get; set; }

    /// <summary>Where it waits there. Guarded by the same.</summary>
    internal LinkedListNode<YamuxStream>? CreditPlace { get; set; }

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
    /// Closes the stream: what was written arrives, then FIN. Waits until the session has taken it all. If the peer has not given the credit for that
    /// within <see cref="YamuxOptions.StreamCloseTimeout"/>, or not closed its side as long after, the stream is reset. Until then what the peer
    /// sends is dropped; to make it stop, set <see cref="YamuxOptions.StreamDiscardTimeout"/>, or use <see cref="Abort"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        CompleteReads();
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
