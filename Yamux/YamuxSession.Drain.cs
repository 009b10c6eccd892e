using Microsoft.Extensions.Logging;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>How a session that has ended comes to rest: what was flushed is brought to the peer, where that is to be, and then the transport is released.</content>
public sealed partial class YamuxSession
{
    // How long a peer that has everything may take to close its side, and one that broke the protocol to read that it did.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    // How long a transport may take to end, where nothing else is said.
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _shutTried = new(TaskCreationOptions.RunContinuationsAsynchronously); // Nothing waits for a pause between two reads any more.
    private volatile bool _isShutting; // The sending side ends, or has ended.
    private volatile bool _isDrained; // What the peer was to have it has, or will not have.

    private TimeSpan Patience => Options.ConnectionWriteTimeout == Timeout.InfiniteTimeSpan ? DefaultPatience : Options.ConnectionWriteTimeout;

    private async Task RunCloseAsync(SessionEnd end)
    {
        var isInOrder = end.Drains && await TryDrainAsync(end).ConfigureAwait(false);
        _isDrained = true;
        _shutTried.TrySetResult();
        Timer.Dispose();
        await EndTransportAsync(end, isInOrder).ConfigureAwait(false);
        if (_isCounted)
        {
            Metrics.OnSessionEnded();
        }

        if (end.IsFailure)
        {
            YamuxLog.SessionFailed(Logger, end.Reason.Message, Logger.IsEnabled(LogLevel.Debug) ? end.Reason : null); // A peer that has gone is no news, and where the reason was thrown, none.
            _completion.SetException(end.Reason);
            _ = _completion.Task.Exception; // Observed: whoever does not look at Completion does not care.
            return;
        }

        // Whoever aborts it knows, and a peer that has closed the session does not want the rest.
        if (end.LastWord is not null && CloseFailure is { ErrorCode: not YamuxErrorCode.SessionClosed } givenUp)
        {
            YamuxLog.CloseGivenUp(Logger, givenUp.Message);
        }

        YamuxLog.SessionClosed(Logger);
        _completion.SetResult();
    }

    // Until the peer has everything, or has gone, or nothing moves any more. A connection that is closed while the peer still sends is answered by a
    // reset, which destroys what had not arrived: the peer's answer, or its own end, proves that all has.
    private async Task<bool> TryDrainAsync(SessionEnd end)
    {
        // A peer may ask so much that there is always an answer to send.
        var isWritten = Writer.IdleAfterStop;
        if (!await IsDoneAsync(Task.WhenAny(isWritten, _confirmed.Task), _closeNow.Token).ConfigureAwait(false) || Writer.IsAbandoned)
        {
            if (Volatile.Read(ref _writeFailure) is { } failure)
            {
                OnCloseFailed(failure);
                _shutTried.TrySetResult();
                await LingerAsync().ConfigureAwait(false); // It may have said that it closes the session as well.
            }

            return false;
        }

        // TLS ends its sending side between two reads: with the answer.
        using var over = new CancellationTokenSource(end.IsFailure ? Linger : Timeout.InfiniteTimeSpan, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _closeNow.Token);
        var shutting = isWritten.IsCompleted ? TryShutdownSendAsync(limit.Token) : Task.FromResult(false);
        if (end.LastWord == GoAwayCode.Normal)
        {
            await IsDoneAsync(Task.WhenAny(_confirmed.Task, _received.Task), limit.Token).ConfigureAwait(false);
            over.CancelAfter(Linger);
        }

        var isShut = await shutting.ConfigureAwait(false);
        _shutTried.TrySetResult();

        // It may take the time to close its side first, which needs no reset.
        if (isShut || end.IsFailure)
        {
            await IsDoneAsync(_received.Task, limit.Token).ConfigureAwait(false);
        }

        return !_closeNow.IsCancellationRequested && (isShut || !Writer.IsAbandoned);
    }

    private async Task<bool> TryShutdownSendAsync(CancellationToken limit)
    {
        var isShut = false;
        _isShutting = true;
        await TryAsync(async () => isShut = await _transport.TryShutdownSendAsync(limit).ConfigureAwait(false), limit).ConfigureAwait(false);
        _isShutting = isShut;
        return isShut;
    }

    private async Task LingerAsync()
    {
        using var over = new CancellationTokenSource(Linger, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _closeNow.Token);
        await IsDoneAsync(_received.Task, limit.Token).ConfigureAwait(false);
    }

    // If not in order, at once.
    private async Task EndTransportAsync(SessionEnd end, bool isInOrder)
    {
        if (!isInOrder)
        {
            await TryAsync(() => _transport.Abort(end.Reason)).ConfigureAwait(false);
        }

        // With an error a pipe drops what it holds, the last word to the peer among it.
        var error = end.IsFailure && !isInOrder ? end.Reason : null;
        Writer.Abandon();
        await StepAsync(async patience =>
        {
            if (await IsDoneAsync(Writer.IdleAfterStop, patience).ConfigureAwait(false))
            {
                await Writer.CompleteAsync(error).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        await StepAsync(async patience =>
        {
            _transport.Input.CancelPendingRead();
            if (await IsDoneAsync(_received.Task, patience).ConfigureAwait(false))
            {
                await _transport.Input.CompleteAsync(error).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        if (isInOrder && !_confirmed.Task.IsCompleted)
        {
            await TryAsync(() => _transport.AbortAfter(Patience, Options.TimeProvider, end.Reason)).ConfigureAwait(false);
        }

        await StepAsync(async _ => await _transport.DisposeAsync().ConfigureAwait(false)).ConfigureAwait(false);
    }

    // A transport that does not end even now is left to itself.
    private async Task StepAsync(Func<CancellationToken, Task> step)
    {
        using var patience = new CancellationTokenSource(Patience, Options.TimeProvider);
        await TryAsync(() => step(patience.Token), patience.Token).ConfigureAwait(false);
    }

    private Task TryAsync(Action step)
        => TryAsync(
            () =>
            {
                step();
                return Task.CompletedTask;
            },
            CancellationToken.None);

    // It is to be closed, and may be gone: whatever fails, the next step is taken, and nothing is lost by it.
    private async Task TryAsync(Func<Task> step, CancellationToken limit)
    {
        try
        {
            var task = step();
            _ = task.ContinueWith(
                static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default); // Observed, if nobody waits any more.
            await task.WaitAsync(limit).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            YamuxLog.CloseFailed(Logger, error);
        }
    }

    private static async ValueTask<bool> IsDoneAsync(Task task, CancellationToken limit)
    {
        await task.WaitAsync(limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}
