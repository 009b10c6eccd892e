using System.IO.Pipelines;
using Yamux.Internal;
using Yamux.IO;
using Yamux.Protocol;

namespace Yamux;

/// <content>How a session ends: once, for one reason, and whatever was flushed before it is sent.</content>
public sealed partial class YamuxSession : IFrameWriterOwner, ISessionTimerOwner
{
    // How long a peer that broke the protocol may take to read that it did, and to close its side.
    private static readonly TimeSpan FaultyPeerPatience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closeNow = new();
    private Task? _closing;

    /// <summary>
    /// Ends the session at once: nothing more is sent, and the transport is closed. Streams fail with
    /// <see cref="YamuxErrorCode.SessionClosed"/>. Does nothing once the session has ended.
    /// </summary>
    /// <param name="reason">Why. With a reason <see cref="Completion"/> is faulted, and has it as the inner exception.</param>
    public void Abort(Exception? reason = null)
    {
        var failure = new YamuxException(
            YamuxErrorCode.SessionClosed, reason is null ? "The yamux session was aborted." : $"The yamux session was aborted: {reason.Message}", reason);
        if (!End(failure, reason is null ? SessionEnding.Aborted : SessionEnding.Failed))
        {
            // It is being closed; now without waiting for the peer.
            Writer.Abandon();
            _ = _closeNow.CancelAsync();
        }
    }

    /// <summary>
    /// Ends the session: tells the peer (GoAway), sends what the streams have flushed, and closes the transport. Streams
    /// that are open fail with <see cref="YamuxErrorCode.SessionClosed"/>. Gives the peer at most
    /// <see cref="YamuxOptions.ConnectionWriteTimeout"/>, and a transport that does not end as much again. Does not throw if
    /// the session had failed.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        End(new YamuxException(YamuxErrorCode.SessionClosed, "The yamux session was closed at this end."), SessionEnding.Disposed);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    void IFrameWriterOwner.OnWriteStarted() => Timer.OnWriteStarted();

    void IFrameWriterOwner.OnWriteEnded(bool moved) => Timer.OnWriteEnded(moved);

    void IFrameWriterOwner.OnWriteFailed(Exception error)
    {
        lock (_gate)
        {
            if (_ended)
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

    void ISessionTimerOwner.OnDeadline(Deadline deadline, bool open) => deadline.Stream.OnDeadline(deadline, open);

    void ISessionTimerOwner.OnPingDue()
    {
        Writer.AppendControl(new FrameHeader(FrameType.Ping, FrameFlags.Syn, 0, _pings.NextValue()));
        Writer.Flush();
    }

    void ISessionTimerOwner.OnPeerUnresponsive(bool writing)
    {
        var failure = writing
            ? Volatile.Read(ref _writeFailure) ?? new YamuxException(
                YamuxErrorCode.ConnectionWriteTimeout, $"The yamux connection took no byte, and brought none, for {Options.ConnectionWriteTimeout}.")
            : new YamuxException(
                YamuxErrorCode.KeepAliveTimeout, $"The yamux peer sent nothing, and took nothing, for {Options.KeepAliveTimeout} after a keepalive ping.");
        End(failure, SessionEnding.Failed);
    }

    // Everything that ends a session comes through here, and only the first has an effect.
    private bool End(YamuxException reason, SessionEnding ending)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return false;
            }

            _endReason = reason;
            _ended = true;
        }

        FrameHeader? last = ending switch
        {
            SessionEnding.Disposed => GoAwayFrame(GoAwayCode.Normal),
            SessionEnding.ProtocolError => GoAwayFrame(GoAwayCode.ProtocolError),
            SessionEnding.InternalError => GoAwayFrame(GoAwayCode.InternalError),
            _ => null,
        };
        // Before the writer stops, which lets through those who wait to accept because too much waits to be sent.
        var drop = ending is SessionEnding.Disposed or SessionEnding.Aborted;
        if (drop)
        {
            _accepts.Clear();
        }

        if (last is null)
        {
            Writer.Abandon();
        }
        else
        {
            Writer.Stop(last);
        }

        foreach (var stream in _streams.Values)
        {
            stream.Fail(reason, tellPeer: false);
        }

        _accepts.End(drop);
        _pings.Fail(NewEndedException);
        CancelOpens();
        _closing = CloseAsync(reason, ending);
        return true;

        static FrameHeader GoAwayFrame(GoAwayCode code) => new(FrameType.GoAway, FrameFlags.None, 0, (uint)code);
    }

    private async Task CloseAsync(YamuxException reason, SessionEnding ending)
    {
        Exception? closeFailure = null;
        var faulted = ending is not (SessionEnding.Disposed or SessionEnding.ClosedByPeer or SessionEnding.Aborted);
        try
        {
            // The peer is given the time to read the last frame where that says something: a socket that is closed while it
            // still receives would destroy what was sent and has not arrived.
            var linger = ending is SessionEnding.Disposed or SessionEnding.ProtocolError or SessionEnding.InternalError;
            await CloseTransportAsync(reason, faulted, linger).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // It was to be closed, and it is gone: nothing is lost that the peer could still have had.
            closeFailure = error;
        }

        Timer.Dispose();
        try
        {
            Log(closeFailure, faulted ? reason : null);
        }
        catch (Exception)
        {
            // A logger that throws must not keep those who wait for the end, and there is no other to report it to.
        }
        finally
        {
            if (faulted)
            {
                _completion.SetException(reason);
                _ = _completion.Task.Exception; // Observed: whoever does not look at Completion does not care.
            }
            else
            {
                _completion.SetResult();
            }
        }
    }

    private void Log(Exception? closeFailure, YamuxException? failure)
    {
        if (closeFailure is not null)
        {
            YamuxLog.CloseFailed(Logger, closeFailure);
        }

        if (failure is not null)
        {
            YamuxLog.SessionFailed(Logger, failure.Message, failure);
        }
        else
        {
            YamuxLog.SessionClosed(Logger);
        }
    }

    private async Task CloseTransportAsync(YamuxException reason, bool faulted, bool linger)
    {
        using var timeout = new CancellationTokenSource(Options.ConnectionWriteTimeout, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _closeNow.Token);
        var stream = _transport as StreamTransport;
        try
        {
            if (Writer.IsAbandoned)
            {
                // Nothing more is sent, so there is nothing to wait for; closing the transport ends what is under way.
            }
            else if (!await IsDoneAsync(Writer.IdleAfterStop, limit.Token).ConfigureAwait(false))
            {
                Writer.Abandon();
            }
            else if (linger && stream is not null && !Writer.IsAbandoned && await stream.TryShutdownSendAsync(limit.Token).ConfigureAwait(false))
            {
                if (faulted)
                {
                    timeout.CancelAfter(FaultyPeerPatience);
                }

                await IsDoneAsync(_received.Task, limit.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            await EndTransportAsync(stream, reason, faulted).ConfigureAwait(false);
        }
    }

    // A transport that does not end even now is left to itself.
    private async Task EndTransportAsync(StreamTransport? stream, YamuxException reason, bool faulted)
    {
        using var patience = new CancellationTokenSource(Options.ConnectionWriteTimeout, Options.TimeProvider);
        try
        {
            if (stream is not null)
            {
                await IsDoneAsync(stream.DisposeAsync().AsTask(), patience.Token).ConfigureAwait(false);
            }

            // With an error a pipe drops what it holds, the GoAway frame that tells the peer of the error among it; without
            // one a stream's writer would try to send what was given up.
            if (await IsDoneAsync(Writer.IdleAfterStop, patience.Token).ConfigureAwait(false))
            {
                var error = Writer.IsAbandoned && (faulted || stream is not null) ? reason : null;
                await Writer.CompleteAsync(error).AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            _transport.Input.CancelPendingRead();
            if (await IsDoneAsync(_received.Task, patience.Token).ConfigureAwait(false))
            {
                await _transport.Input.CompleteAsync(faulted ? reason : null).AsTask().WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
    }

    private static async ValueTask<bool> IsDoneAsync(Task task, CancellationToken limit)
    {
        await task.WaitAsync(limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    // Those who wait to open a stream are told, on threads of their own.
    private void CancelOpens() => _ = _noMoreOpens.CancelAsync();
}
