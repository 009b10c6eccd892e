using Backchannel.V1;

namespace Backchannel;

/// <summary>What is still to be told to an attached agent: that the server drains, once, and that it is detached, last.</summary>
internal sealed class PeerNotices
{
    private readonly Lock _gate = new();
    private bool _wasToldToMove;
    private Notice? _draining;
    private Notice? _detached;
    private TaskCompletionSource? _come; // While somebody waits.

    /// <summary>Why the server has ended the attachment; null while it has not.</summary>
    public PeerDisconnectReason? DetachedFor { get; private set; }

    /// <summary>Tells the agent to move, if it was not told before.</summary>
    /// <param name="moveWithin">How long the server waits for it; <see cref="Timeout.InfiniteTimeSpan"/>: until it has moved.</param>
    public void Drain(TimeSpan moveWithin)
    {
        lock (_gate)
        {
            if (_wasToldToMove || DetachedFor is not null)
            {
                return;
            }

            _wasToldToMove = true;
            _draining = new Notice { Draining = new Draining { MoveWithinMs = Milliseconds(moveWithin) } };
            _come?.TrySetResult();
        }
    }

    /// <summary>Ends the attachment, if nothing has before.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="detail">The same for the agent's log; may be empty.</param>
    /// <param name="retryAfter">When it may come back; zero: when it likes.</param>
    public void Detach(PeerDisconnectReason reason, string detail, TimeSpan retryAfter)
    {
        lock (_gate)
        {
            if (DetachedFor is not null)
            {
                return;
            }

            DetachedFor = reason;
            _detached = new Notice { Detached = new Detached { Reason = Tell(reason), Detail = detail, RetryAfterMs = (long)Math.Ceiling(retryAfter.TotalMilliseconds) } };
            _come?.TrySetResult();
        }
    }

    /// <summary>The next one, for the one call that tells them; null behind the last.</summary>
    public async ValueTask<Notice?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task come;
            lock (_gate)
            {
                if (Take(ref _draining) is { } draining)
                {
                    return draining;
                }

                if (Take(ref _detached) is { } detached)
                {
                    return detached;
                }

                if (DetachedFor is not null)
                {
                    return null;
                }

                _come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                come = _come.Task;
            }

            await come.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // With 0 the server would say that it waits without a limit.
    private static long Milliseconds(TimeSpan moveWithin)
        => moveWithin == Timeout.InfiniteTimeSpan ? 0 : Math.Max(1, (long)Math.Ceiling(moveWithin.TotalMilliseconds));

    private static Notice? Take(ref Notice? notice)
    {
        var taken = notice;
        notice = null;
        return taken;
    }

    private static Detached.Types.Reason Tell(PeerDisconnectReason reason) => reason switch
    {
        PeerDisconnectReason.Superseded => Detached.Types.Reason.Superseded,
        PeerDisconnectReason.Refused => Detached.Types.Reason.Refused,
        PeerDisconnectReason.Kicked => Detached.Types.Reason.Kicked,
        PeerDisconnectReason.ServerStopping => Detached.Types.Reason.ShuttingDown,
        _ => Detached.Types.Reason.Unspecified,
    };
}
