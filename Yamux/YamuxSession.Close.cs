using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux;

/// <content>How a session ends: once, for one reason, and in order wherever that still says something to the peer.</content>
public sealed partial class YamuxSession
{
    // How long a peer that has everything may take to close its side, and one that broke the protocol to read that it did.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closeNow = new();
    private readonly TaskCompletionSource _confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _closing;
    private volatile YamuxException? _closeFailure;
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
    /// does not end gets as much again.
    /// </remarks>
    /// <param name="drain">How long streams may go on; <see cref="TimeSpan.Zero"/>: not at all; <see cref="Timeout.InfiniteTimeSpan"/>: until they end.</param>
    /// <param name="cancellationToken">Cancelled, the session is aborted, and nothing is waited for any more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="drain"/> is negative, or longer than 49.7 days.</exception>
    /// <exception cref="YamuxException">
    /// The session has failed, or failed meanwhile; with <see cref="YamuxErrorCode.ConnectionWriteTimeout"/>, the peer did not confirm that it has everything.
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

        if ((_closeFailure ?? (_end!.IsFailure ? _end.Reason : null)) is { } failure)
        {
            throw failure.ForCaller();
        }
    }

    private void OnWriteFailed(Exception error)
    {
        lock (_gate)
        {
            if (_end is not null)
            {
                return;
            }

            _writeFailure ??= new YamuxException(YamuxErrorCode.ConnectionLost, $"The yamux connection was lost: {error.Message}", error);
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
            case Silence.Close when _end!.LastWord is null:
                CloseNow(); // The peer has closed the session, and does not want the rest.
                break;
            case Silence.Close:
                _closeFailure = new YamuxException(
                    YamuxErrorCode.ConnectionWriteTimeout,
                    $"The yamux session was closed, but its peer has not confirmed that it has everything: nothing of it has moved for {Options.ConnectionWriteTimeout}.");
                YamuxLog.CloseGivenUp(Logger, _closeFailure.Message);
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
            _end = end;
        }

        // Before the writer stops, which lets through those who wait to accept because too much waits to be sent.
        if (end.DropsUnaccepted)
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
        _closing = RunCloseAsync(end);
        return true;
    }

    private async Task RunCloseAsync(SessionEnd end)
    {
        var isInOrder = end.Drains && await TryDrainAsync(end).ConfigureAwait(false);
        await EndTransportAsync(end, isInOrder).ConfigureAwait(false);

        Timer.Dispose();
        if (end.IsFailure)
        {
            YamuxLog.SessionFailed(Logger, end.Reason.Message, end.Reason);
            _completion.SetException(end.Reason);
            _ = _completion.Task.Exception; // Observed: whoever does not look at Completion does not care.
            return;
        }

        YamuxLog.SessionClosed(Logger);
        _completion.SetResult();
    }

    // Until the peer has everything, or has gone, or nothing moves any more. A connection that is closed while the peer still sends is answered by a
    // reset, which destroys what had not arrived: the peer's answer, or its own end, proves that all has.
    private async Task<bool> TryDrainAsync(SessionEnd end)
    {
        if (!await IsDoneAsync(Writer.IdleAfterStop, _closeNow.Token).ConfigureAwait(false) || Writer.IsAbandoned)
        {
            return false;
        }

        var isShut = false;
        await TryAsync(async () => isShut = await _transport.TryShutdownSendAsync(_closeNow.Token).ConfigureAwait(false)).ConfigureAwait(false);
        if (end.LastWord == GoAwayCode.Normal)
        {
            await IsDoneAsync(Task.WhenAny(_confirmed.Task, _received.Task), _closeNow.Token).ConfigureAwait(false);
        }

        // It may take the time to close its side first, which needs no reset.
        if (isShut || end.IsFailure)
        {
            using var linger = new CancellationTokenSource(Linger, Options.TimeProvider);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(linger.Token, _closeNow.Token);
            await IsDoneAsync(_received.Task, limit.Token).ConfigureAwait(false);
        }

        return !Writer.IsAbandoned;
    }

    // If not in order, at once. A transport that does not end even now is left to itself. Whatever fails, the next step is taken.
    private async Task EndTransportAsync(SessionEnd end, bool isInOrder)
    {
        using var patience = new CancellationTokenSource(Options.ConnectionWriteTimeout, Options.TimeProvider);
        if (!isInOrder)
        {
            await TryAsync(() =>
            {
                _transport.Abort(end.Reason);
                return Task.CompletedTask;
            }).ConfigureAwait(false);
        }

        // With an error a pipe drops what it holds, the last word to the peer among it.
        var error = end.IsFailure && !isInOrder ? end.Reason : null;
        Writer.Abandon();
        await TryAsync(async () =>
        {
            if (await IsDoneAsync(Writer.IdleAfterStop, patience.Token).ConfigureAwait(false))
            {
                await Writer.CompleteAsync(error).AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        await TryAsync(async () =>
        {
            _transport.Input.CancelPendingRead();
            if (await IsDoneAsync(_received.Task, patience.Token).ConfigureAwait(false))
            {
                await _transport.Input.CompleteAsync(error).AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        await TryAsync(async () =>
        {
            if (isInOrder && !_confirmed.Task.IsCompleted && Options.ConnectionWriteTimeout != Timeout.InfiniteTimeSpan)
            {
                _transport.AbortAfter(Options.ConnectionWriteTimeout, Options.TimeProvider, end.Reason);
            }

            await _transport.DisposeAsync().AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    // It is to be closed, and may be gone. What a peer could still have had, CloseAsync tells.
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            OnCloseFailed(new YamuxException(YamuxErrorCode.ConnectionLost, $"The yamux connection was lost while it was closed: {error.Message}", error));
            YamuxLog.CloseFailed(Logger, error);
        }
    }

    // Once the peer has everything, it is this end that closes: Kestrel's input fails when its output is completed.
    private void OnCloseFailed(YamuxException failure)
    {
        if (_end!.LastWord == GoAwayCode.Normal && !_confirmed.Task.IsCompleted)
        {
            _closeFailure ??= failure;
        }
    }

    private void CloseNow()
    {
        Writer.Abandon();
        _ = _closeNow.CancelAsync();
    }

    private async Task WaitForStreamsAsync(TimeSpan drain, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(drain, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        await Task.WhenAny(_streamCount.WaitForNoneAsync(limit.Token), Completion).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static async ValueTask<bool> IsDoneAsync(Task task, CancellationToken limit)
    {
        await task.WaitAsync(limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    // Those who wait to open a stream are told, on threads of their own.
    private void CancelOpens() => _ = _noMoreOpens.CancelAsync();
}
