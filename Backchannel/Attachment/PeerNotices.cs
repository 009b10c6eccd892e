using System.Threading.Channels;
using Backchannel.V1;

namespace Backchannel;

/// <summary>What is still to be told to an attached agent: that the server drains, once, and that it is detached, last.</summary>
internal sealed class PeerNotices
{
    private readonly Channel<Notice> _notices = Channel.CreateUnbounded<Notice>();
    private bool _isDraining; // Interlocked

    /// <summary>Why the server has ended the attachment; null while it has not.</summary>
    public PeerDisconnectReason? DetachedFor { get; private set; }

    /// <summary>Tells the agent to move, if it was not told before.</summary>
    public void Drain(TimeSpan moveWithin)
    {
        if (!Interlocked.Exchange(ref _isDraining, true))
        {
            _notices.Writer.TryWrite(new Notice { Draining = new Draining { MoveWithinMs = (long)moveWithin.TotalMilliseconds } });
        }
    }

    /// <summary>Ends the attachment, if nothing has before.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="detail">The same for the agent's log; may be empty.</param>
    /// <param name="retryAfter">When it may come back; zero: when it likes.</param>
    public void Detach(PeerDisconnectReason reason, string detail, TimeSpan retryAfter)
    {
        lock (_notices)
        {
            if (DetachedFor is not null)
            {
                return;
            }

            DetachedFor = reason;
        }

        var detached = new Detached { Reason = Tell(reason), Detail = detail, RetryAfterMs = (long)Math.Ceiling(retryAfter.TotalMilliseconds) };
        _notices.Writer.TryWrite(new Notice { Detached = detached });
        _notices.Writer.TryComplete();
    }

    /// <summary>The notices, in order; ends behind the last.</summary>
    public IAsyncEnumerable<Notice> ReadAllAsync(CancellationToken cancellationToken) => _notices.Reader.ReadAllAsync(cancellationToken);

    private static Detached.Types.Reason Tell(PeerDisconnectReason reason) => reason switch
    {
        PeerDisconnectReason.Superseded => Detached.Types.Reason.Superseded,
        PeerDisconnectReason.Kicked => Detached.Types.Reason.Kicked,
        PeerDisconnectReason.ServerStopping => Detached.Types.Reason.ShuttingDown,
        _ => Detached.Types.Reason.Unspecified,
    };
}
