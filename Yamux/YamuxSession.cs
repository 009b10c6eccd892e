using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux;

/// <summary>
/// Many streams over one connection: an end of a yamux session. Both ends may open streams.
/// </summary>
/// <remarks>
/// <para>All members are thread safe. The session runs from its creation until <see cref="Completion"/>, reading the
/// transport in one loop that never waits for a stream or for the writer.</para>
/// <para>Disposing it tells the peer (GoAway), sends what the streams have flushed, and closes the transport, as long as the peer takes what is sent
/// (<see cref="CloseAsync"/>); <see cref="Abort"/> closes it at once. Streams that are open then fail
/// with <see cref="YamuxException"/>: they never read as ended.</para>
/// <para>Wire format: yamux spec, version 0; compatible with hashicorp/yamux.</para>
/// </remarks>
public sealed partial class YamuxSession : IAsyncDisposable
{
    // A byte, from the transport to its reader, on the read loop:
    //   Receive, ProcessBytes        read Transport.Input, cut it into frames; pings and GoAway end here     YamuxSession.Receive.cs
    //   OnStreamFrame                finds the stream, or puts a new one into the AcceptQueue                YamuxSession.Inbound.cs
    //   YamuxStream.OnFrame, then ReceiveHalf     takes the peer's credit (ReceiveCredit), queues the payload (SegmentedBuffer)
    //   WakeUps                      lets the StreamReader go on that waits; what it consumes becomes credit
    // A write, from its caller to the transport, on the caller's thread or the pool's:
    //   StreamWriter, SendHalf       keep it until it is flushed and the peer has given credit (SendWindow)
    //   FrameWriter.TryAppendData    makes a frame of it, in the urgent FrameQueue or in turn in the BulkQueue
    //   FrameWriter.Flush            whoever finds no flush under way writes what is queued, round by round  IO/FrameWriter.Flush.cs
    private readonly Lock _gate = new();
    private readonly YamuxTransport _transport;
    private readonly ConcurrentDictionary<uint, YamuxStream> _streams = new(concurrencyLevel: 1, capacity: 7, StreamIdComparer.Instance); // It grows. More locks cost more buckets.
    private readonly AcceptQueue _accepts;
    private readonly PendingPings _pings;
    private readonly SemaphoreSlim _openSlots;
    private readonly CancellationTokenSource _noMoreOpens = new();
    private readonly CancellationTokenSource _goAwayReceived = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _nextId;
    private readonly LiveCount _streamCount = new();
    private bool _localGoAway;
    private volatile bool _remoteGoAway;
    private volatile SessionEnd? _end;
    private volatile bool _isDisposed;
    private YamuxException? _writeFailure;
    private bool _isCounted; // Among the active sessions.

    private YamuxSession(YamuxTransport transport, YamuxRole role, YamuxOptions options, ILogger logger)
    {
        _transport = transport;
        Role = role;
        Options = options;
        Logger = new IsolatedLogger(logger);
        Metrics = YamuxMetrics.Of(options);
        _nextId = role == YamuxRole.Client ? 1u : 2u;
        _growthLeft = options.MaxSessionWindowGrowth;
        _accepts = new AcceptQueue(options.AcceptBacklog);
        _pings = new PendingPings(options.TimeProvider);
        _openSlots = new SemaphoreSlim(options.MaxUnacknowledgedStreams);
        _earlyResets = new RateLimit(options.MaxEarlyResets, options.RateLimitPeriod, options.TimeProvider);
        _emptyFrames = new RateLimit(options.MaxEmptyFrames, options.RateLimitPeriod, options.TimeProvider);
        Timer = new SessionTimer(options, OnPingDue, OnSilence);
        _onRead = OnRead;
        Writer = new FrameWriter(transport.Output, Timer, OnWriteFailed, options.MaxQueuedAnswers, options.EnableKeepAlive, options.TimeProvider, Metrics);
        _wakeUps = new WakeUps(Writer, options.MaxQueuedAnswers, lendsThread: transport.Input is SocketReader);
    }

    /// <summary>Which end of the session this is.</summary>
    public YamuxRole Role { get; }

    /// <summary>How many streams are open, those of both ends that are not accepted yet among them.</summary>
    public int StreamCount => _streamCount.Value;

    /// <summary>
    /// How many streams of the peer's there are, those that are not accepted yet among them: each from its opening until both ends have closed it, or it has failed, and this end has let go
    /// of it, as <see cref="YamuxOptions.MaxInboundStreams"/> counts them.
    /// </summary>
    public int InboundStreamCount => _inboundCount.Value;

    /// <summary>
    /// How many bytes were received on the transport, those of headers among them. Whoever waits for the peer sees whether it says anything at all.
    /// </summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>
    /// Completes when the session has ended and its transport is closed. Faulted with a <see cref="YamuxException"/> if it
    /// failed; completed normally if it was disposed, or if the peer closed the connection between two frames.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>
    /// Cancelled when the peer has sent GoAway: it takes no more streams, and is about to leave. Those that run go on. Callbacks run on the thread
    /// pool; what they throw is a warning in the log.
    /// </summary>
    public CancellationToken GoAwayReceived => _goAwayReceived.Token;

    /// <summary>
    /// The shortest time to the peer and back that was measured: by the pings that a session sends while windows may grow, and by those of the keepalive. Null
    /// while none was answered.
    /// </summary>
    public TimeSpan? RoundTripTime
        => _pings.RoundTrip is > 0 and var ticks ? TimeSpan.FromSeconds(ticks / (double)Options.TimeProvider.TimestampFrequency) : null;

    internal YamuxOptions Options { get; }

    internal ILogger Logger { get; }

    internal YamuxMetrics Metrics { get; }

    internal FrameWriter Writer { get; }

    internal SessionTimer Timer { get; }

    /// <summary>Starts a session on <paramref name="transport"/>, which is the session's from now on.</summary>
    /// <param name="transport">The connection. Its two sides are completed when the session has ended.</param>
    /// <param name="role">Which end this is; the peer must be the other.</param>
    /// <param name="options">The settings; null means the defaults. Later changes to the object have no effect.</param>
    /// <param name="logger">Where the session reports; null means nowhere.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option or <paramref name="role"/> is out of range.</exception>
    public static YamuxSession Create(IDuplexPipe transport, YamuxRole role, YamuxOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        return Create(transport as YamuxTransport ?? new PipeTransport(transport), role, options, logger);
    }

    /// <summary>Starts a session on <paramref name="transport"/>, which is disposed when the session has ended.</summary>
    /// <inheritdoc cref="Create(IDuplexPipe, YamuxRole, YamuxOptions?, ILogger?)"/>
    public static YamuxSession Create(YamuxTransport transport, YamuxRole role, YamuxOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        if (role is not (YamuxRole.Client or YamuxRole.Server))
        {
            throw new ArgumentOutOfRangeException(nameof(role), role, "The role must be Client or Server.");
        }

        options = options?.Clone() ?? new YamuxOptions();
        options.Validate();

        // The session outlives its creator's context: its loop and its timer must not keep that context's Activity or other
        // locals alive.
        var flow = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow();
        try
        {
            var session = new YamuxSession(transport, role, options, logger ?? NullLogger.Instance);
            session._isCounted = session.Metrics.OnSessionBegan();
            session.Timer.Start();
            ThreadPool.UnsafeQueueUserWorkItem(static session => session.Receive(), session, preferLocal: false);
            return session;
        }
        finally
        {
            flow?.Undo();
        }
    }

    /// <summary>Starts a session on <paramref name="transport"/>, which is disposed when the session has ended.</summary>
    /// <inheritdoc cref="Create(IDuplexPipe, YamuxRole, YamuxOptions?, ILogger?)"/>
    /// <exception cref="ArgumentException">The stream cannot be read or cannot be written.</exception>
    public static YamuxSession Create(Stream transport, YamuxRole role, YamuxOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        return Create(new StreamTransport(transport), role, options, logger);
    }

    /// <summary>
    /// Opens a stream. It can be written to at once; the peer need not have accepted it. Waits only while
    /// <see cref="YamuxOptions.MaxUnacknowledgedStreams"/> streams of this end are not acknowledged yet, or while 256 KiB wait behind a write to the transport.
    /// </summary>
    /// <exception cref="YamuxException">The session has ended or takes no more streams, or the ids are used up.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; no stream was opened.</exception>
    public async ValueTask<YamuxStream> OpenStreamAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        if (!Writer.HasRoom || !_openSlots.Wait(0, CancellationToken.None))
        {
            await WaitForOpenSlotAsync(cancellationToken).ConfigureAwait(false);
        }

        YamuxStream stream;
        try
        {
            stream = Open();
        }
        catch
        {
            ReleaseOpenSlot();
            throw;
        }

        Metrics.OnStreamOpened(stream);
        Writer.FlushSoon();
        return stream;
    }

    /// <summary>Accepts the next stream of the peer's, as soon as there is one, and acknowledges it. Null: the session was closed, by either end.</summary>
    /// <remarks>
    /// Streams that had arrived when the peer closed the session, or it failed, are still handed out before that is told. While 256 KiB wait
    /// behind a write to the transport no stream is handed out: each would add to what the peer does not read.
    /// </remarks>
    /// <exception cref="YamuxException">The session has failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; no stream was lost.</exception>
    public ValueTask<YamuxStream?> AcceptStreamAsync(CancellationToken cancellationToken = default) => AcceptStreamAsync(acknowledge: true, cancellationToken);

    /// <inheritdoc cref="AcceptStreamAsync(CancellationToken)"/>
    /// <param name="acknowledge">
    /// Whether the peer is told so. Without, it does not hear of it before <see cref="YamuxStream.Acknowledge"/>, which must follow, or <see cref="YamuxStream.Abort"/>, by which it sees the stream
    /// refused: for whoever first has to look at the stream, or to take note of it.
    /// </param>
    /// <param name="cancellationToken">Cancelled, no stream was lost.</param>
    public async ValueTask<YamuxStream?> AcceptStreamAsync(bool acknowledge, CancellationToken cancellationToken = default)
    {
        await Writer.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
        var stream = await _accepts.TakeAsync(cancellationToken).ConfigureAwait(false);
        if (stream is null && _end is { IsFailure: true } end)
        {
            throw end.Reason.ForCaller();
        }

        if (acknowledge)
        {
            stream?.Acknowledge();
        }

        return stream;
    }

    /// <summary>Accepts streams of the peer's until the session was closed.</summary>
    /// <exception cref="YamuxException">The session has failed; what had arrived before was handed out.</exception>
    public async IAsyncEnumerable<YamuxStream> AcceptStreamsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await AcceptStreamAsync(cancellationToken).ConfigureAwait(false) is { } stream)
        {
            yield return stream;
        }
    }

    /// <summary>
    /// Waits until the peer has no stream, as <see cref="InboundStreamCount"/> counts them, or the session has ended. It can open another one in the same instant, unless it was told
    /// not to (<see cref="GoAwayAsync"/>).
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task WaitForInboundStreamsToEndAsync(CancellationToken cancellationToken = default)
    {
        await Task.WhenAny(_inboundCount.WaitForNoneAsync(cancellationToken), Completion).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>A copy of the settings that the session has. For code on top of it that has limits of its own, and their clock.</summary>
    public YamuxOptions GetOptions() => Options.Clone();

    /// <summary>
    /// Measures the time to the peer and back, at most <see cref="YamuxOptions.PingTimeout"/>. On a slow link that is the time behind
    /// what the transport has taken already, and behind the write that is under way: of what waits to be sent it overtakes all other bulk.
    /// </summary>
    /// <exception cref="YamuxException">
    /// The session has ended; or the answer did not come in time (<see cref="YamuxErrorCode.PingTimeout"/>), which ends this ping alone.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        if (_pings.TryAdd(out var value, out var answer))
        {
            Writer.AppendControl(FrameHeader.Ping(value));
            Writer.Flush();
        }

        using (Options.TimeProvider.CreateTimer(_ => OnPingTimeout(value), null, Options.PingTimeout, Timeout.InfiniteTimeSpan))
        using (cancellationToken.UnsafeRegister((_, token) => _pings.Cancel(value, token), null))
        {
            return await answer.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Tells the peer that no new streams will be taken, and opens none any more; those that run go on. What the peer opens
    /// nevertheless is refused (RST). Does nothing the second time.
    /// </summary>
    public ValueTask GoAwayAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        lock (_gate)
        {
            if (!_localGoAway && _end is null)
            {
                _localGoAway = true;
                Writer.AppendControl(FrameHeader.GoAway(GoAwayCode.Normal));
            }
        }

        Writer.Flush();
        CancelOpens();
        return ValueTask.CompletedTask;
    }

    /// <summary>Whether it is an id that this end gives.</summary>
    internal bool IsOurs(uint id) => (id % 2 == 1) == (Role == YamuxRole.Client);

    /// <summary>The stream does not want to know any more.</summary>
    internal void ForgetPing(uint value) => _pings.Forget(value);

    internal void ReleaseOpenSlot() => _openSlots.Release();

    /// <summary>The stream is not open any more.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="cause">What ended it; null: both ends have closed it.</param>
    internal void OnStreamRemoved(YamuxStream stream, YamuxErrorCode? cause)
    {
        if (_streams.TryRemove(stream.Id, out _))
        {
            Metrics.OnStreamEnded(stream, cause); // Before anybody hears that it was the last.
            _streamCount.Decrement();
        }
    }

    /// <summary>A new exception that tells why the session takes nothing more.</summary>
    internal YamuxException NewEndedException()
        => (_end?.Reason ?? Volatile.Read(ref _writeFailure))?.ForCaller()
            ?? YamuxException.Lost("a write fails this instant.");

    /// <summary>For tests: the next stream that is opened gets this id.</summary>
    internal void SetNextStreamId(uint id) => _nextId = id;

    // What had ended it before says more.
    private void ThrowIfDisposed()
        => ObjectDisposedException.ThrowIf(_isDisposed && _end is null or { IsOwn: true }, this);

    private void OnPingTimeout(uint value)
        => _pings.Fail(
            value, new YamuxException(YamuxErrorCode.PingTimeout, $"The yamux peer did not answer a ping within {Options.PingTimeout}."));

    private async ValueTask WaitForOpenSlotAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _noMoreOpens.Token);
        try
        {
            await Writer.WaitForRoomAsync(either.Token).ConfigureAwait(false);
            await _openSlots.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (_gate)
            {
                ThrowIfNoMoreOpensUnsynchronized();
            }

            throw;
        }
    }

    // Ids must rise on the wire, so the id is taken and the SYN appended in one piece.
    private YamuxStream Open()
    {
        lock (_gate)
        {
            ThrowIfNoMoreOpensUnsynchronized();
            if (_nextId >= uint.MaxValue - 1)
            {
                throw new YamuxException(
                    YamuxErrorCode.StreamsExhausted, $"The next stream id would be {_nextId}, and the last one is used: the session can open no more streams.");
            }

            var stream = new YamuxStream(this, _nextId);
            _nextId += 2;
            _streams[stream.Id] = stream;
            _streamCount.Increment();
            stream.SendSyn();
            return stream;
        }
    }

    private void ThrowIfNoMoreOpensUnsynchronized()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread, "the gate guards what is read here");
        if (_end is not null || _writeFailure is not null)
        {
            throw NewEndedException();
        }

        if (_localGoAway || _remoteGoAway)
        {
            throw new YamuxException(
                YamuxErrorCode.GoAway, $"The yamux session opens no more streams: {(_remoteGoAway ? "the peer" : "this end")} has sent GoAway.");
        }
    }
}
