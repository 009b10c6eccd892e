using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux;

/// <content>How a session ends: once, for one reason, and in order wherever that still says something to the peer.</content>
public sealed partial class YamuxSession
{
    private readonly CancellationTokenSource _closeNow = new();
    private readonly TaskCompletionSource _confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private YamuxException? _closeFailure; // Interlocked
    private bool _hadBulk; // More than small frames was to be sent when it was ended.
    private bool _hadStreams;
    private volatile uint _closingPing;

    /// <summary>
    /// Ends the session at once: nothing more is sent, and the transport is closed. Streams fail with
    /// <see cref="YamuxErrorCode.SessionClosed"/>. Does nothing once the session has ended.
    /// </summary>
    /// <param name="reason">Why. With a reason <see cref="Completion"/> is faulted, and has it as the inner exception.</param>
    public void Abort(Exception? reason = null)
    {
        if (!End(SessionEnd.Aborted(reason)))
        {
            OnCloseFailed(new YamuxException(YamuxErrorCode.SessionClosed, "The yamux session was aborted while it was being closed.", reason));
            CloseNow(); // It is being closed; now without waiting for the peer.
        }
    }

    /// <summary>
    /// Closes the session in order: as <see cref="CloseAsync"/> without a drain, but it does not throw. What had to be given up is a warning in the log. Opening and pinging throw
    /// <see cref="ObjectDisposedException"/> afterwards, unless the session had ended otherwise before: then they tell that.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        End(SessionEnd.Closed());
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Closes the session in order. The peer is told that no more streams are taken (GoAway); those that run go on until they end, or <paramref name="drain"/>
    /// is over, and then fail with <see cref="YamuxErrorCode.SessionClosed"/>. What was flushed is sent, and the transport is closed when
    /// the peer has it all, which it tells by the answer to a ping, or by closing its end.
    /// </summary>
    /// <remarks>
    /// That takes as long as the peer takes what was flushed: what ends it is that nothing of it has moved for <see cref="YamuxOptions.ConnectionWriteTimeout"/>. A transport that
    /// does not end gets as much again for each of its sides, and for its disposal; 10 s, where that is infinite.
    /// </remarks>
    /// <param name="drain">How long streams may go on; <see cref="TimeSpan.Zero"/>: not at all; <see cref="Timeout.InfiniteTimeSpan"/>: until they end.</param>
    /// <param name="cancellationToken">Cancelled, the session is aborted, and nothing is waited for any more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="drain"/> is negative, or longer than 49.7 days.</exception>
    /// <exception cref="YamuxException">
    /// The session has failed or was aborted before; or not all that was flushed may have arrived: the connection was lost meanwhile, the peer broke the protocol, the session was
    /// aborted, or, with <see cref="YamuxErrorCode.ConnectionWriteTimeout"/>, nothing moved.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; the session was aborted.</exception>
    public async ValueTask CloseAsync(TimeSpan drain, CancellationToken cancellationToken = default)
    {
        if (drain != Timeout.InfiniteTimeSpan && (drain < TimeSpan.Zero || drain > YamuxOptions.LongestTimeout))
        {
            throw new ArgumentOutOfRangeException(nameof(drain), drain, $"The drain must be 0 to {YamuxOptions.LongestTimeout}, or Timeout.InfiniteTimeSpan.");
        }

        try
        {
            await GoAwayAsync(cancellationToken).ConfigureAwait(false);
            if (drain != TimeSpan.Zero)
            {
                await WaitForStreamsAsync(drain, cancellationToken).ConfigureAwait(false);
            }

            End(SessionEnd.Closed());
            await Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException)
        {
            Abort();
            throw;
        }

        if ((_end is { IsFailure: true } or { IsAborted: true } ? _end.Reason : CloseFailure) is { } failure)
        {
            throw failure.ForCaller();
        }
    }

    // Why not all that was flushed may have arrived. Whatever failed, a peer that has confirmed has everything.
    private YamuxException? CloseFailure
        => Volatile.Read(ref _closeFailure) is { } failure && !_confirmed.Task.IsCompleted && !IsExcused(failure) ? failure : null;

    // One that has closed the session as well, which it said before, need not take the last word, where there was no bulk before it. That its reset is read with streams open is a loss.
    private bool IsExcused(YamuxException failure)
        => failure.ErrorCode == YamuxErrorCode.ConnectionLost && _remoteGoAway && !_hadBulk && (!_hadStreams || failure == Volatile.Read(ref _writeFailure));

    private void OnWriteFailed(Exception error)
    {
        lock (_gate)
        {
            if (_isShutting)
            {
                return; // An answer that fails behind our own end says nothing about the rest.
            }

            _writeFailure ??= YamuxException.Lost(error);
            if (_end is not null)
            {
                return;
            }
        }

        // The read loop ends the session when it has read what the peer had sent before it went. If the transport fails
        // for writing alone, the timeout ends it.
        CancelOpens();
        Timer.OnWriteFailed();
    }

    private void OnPingDue()
    {
        Writer.AppendControl(FrameHeader.Ping(_pings.NextValue()));
        Writer.Flush();
    }

    private void OnSilence(Silence silence)
    {
        switch (silence)
        {
            case Silence.Write:
                End(SessionEnd.Failed(Volatile.Read(ref _writeFailure) ?? new YamuxException(
                    YamuxErrorCode.ConnectionWriteTimeout, $"The yamux connection took no byte, and brought none, for {Options.ConnectionWriteTimeout}.")));
                break;
            case Silence.KeepAlive:
                End(SessionEnd.Failed(new YamuxException(
                    YamuxErrorCode.KeepAliveTimeout, $"The yamux peer sent nothing, and took nothing, for {Options.KeepAliveTimeout} after a keepalive ping.")));
                break;
            case Silence.Close:
                OnCloseFailed(new YamuxException(
                    YamuxErrorCode.ConnectionWriteTimeout,
                    $"The yamux session was closed, but its peer has not confirmed that it has everything: nothing of it has moved for {Options.ConnectionWriteTimeout}."));
                CloseNow();
                break;
        }
    }

    // Everything that ends a session comes through here, and only the first has an effect.
    private bool End(SessionEnd end)
    {
        lock (_gate)
        {
            if (_end is not null)
            {
                return false;
            }

            // The answer to this ping tells that the peer has everything before it.
            _closingPing = end.LastWord == GoAwayCode.Normal ? _pings.NextValue() : PendingPings.NoValue;
            (_hadBulk, _hadStreams) = (Writer.HasBulk, !_streams.IsEmpty);
            _end = end;
        }

        // Before the writer stops, which lets through those who wait to accept because too much waits to be sent.
        if (end.IsOwn)
        {
            _accepts.End(drop: true);
        }

        if (end.Drains)
        {
            Timer.OnClosing();
            Writer.Stop(end.LastWord switch
            {
                null => [],
                GoAwayCode.Normal => [FrameHeader.GoAway(GoAwayCode.Normal), FrameHeader.Ping(_closingPing)],
                { } code => [FrameHeader.GoAway(code)],
            });
        }
        else
        {
            Writer.Abandon();
        }

        foreach (var stream in _streams.Values)
        {
            stream.Fail(end.Reason, tellPeer: false);
        }

        _accepts.End(drop: false);
        _pings.Fail(NewEndedException);
        CancelOpens();
        _ = RunCloseAsync(end); // Its end is Completion, and it throws nothing.
        return true;
    }

    // False: it has ended, or is being closed, and not all that was flushed may arrive.
    private bool TryFail(YamuxException failure)
    {
        var isFirst = End(SessionEnd.Failed(failure));
        if (!isFirst)
        {
            OnCloseFailed(failure);
        }

        return isFirst;
    }

    // Not all that was flushed may have arrived, for this reason first.
    private void OnCloseFailed(YamuxException failure)
    {
        if (_end is { Drains: true, IsFailure: false } && !_isDrained)
        {
            Interlocked.CompareExchange(ref _closeFailure, failure, null);
        }
    }

    private void CloseNow()
    {
        Writer.Abandon();
        _ = _closeNow.CancelAsync(error => YamuxLog.CloseFailed(Logger, error)); // The transport has it.
    }

    private async Task WaitForStreamsAsync(TimeSpan drain, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(drain, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        await Task.WhenAny(_streamCount.WaitForNoneAsync(limit.Token), Completion).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    // Those who wait to open a stream are told, on threads of their own.
    private void CancelOpens() => _ = _noMoreOpens.CancelAsync();
}
