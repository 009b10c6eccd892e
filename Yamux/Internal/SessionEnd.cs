using Yamux.Protocol;

namespace Yamux.Internal;

/// <summary>How a session ends: what the peer is told, what of its is still sent, and what is dropped.</summary>
/// <param name="Reason">What its streams, and who wants to open another, are told.</param>
/// <param name="LastWord">What the peer is told, behind everything that was queued; null: nothing.</param>
/// <param name="Drains">Whether what was queued is still sent. Else the connection is closed at once.</param>
/// <param name="IsFailure">Whether the session has failed, or was closed.</param>
internal sealed record SessionEnd(YamuxException Reason, GoAwayCode? LastWord, bool Drains, bool IsFailure)
{
    /// <summary>
    /// Whether it was this end's own wish. Streams that nobody has accepted yet are lost then; else they can be accepted, for the peer may have sent and closed all of them.
    /// </summary>
    public bool IsOwn => !IsFailure && Reason.ErrorCode == YamuxErrorCode.SessionClosed;

    /// <summary>Whether it was this end that dropped what was queued.</summary>
    public bool IsAborted => !Drains && Reason.ErrorCode == YamuxErrorCode.SessionClosed;

    /// <summary>Closed in order at this end: the connection is closed when the peer has everything.</summary>
    public static SessionEnd Closed()
        => new(new YamuxException(YamuxErrorCode.SessionClosed, "The yamux session was closed at this end."), GoAwayCode.Normal, Drains: true, IsFailure: false);

    /// <summary>The peer closed the connection in order.</summary>
    /// <param name="awaitsRest">Whether its other direction may be open, for one of the ends has said that it leaves: it waits for the answer to its last ping, or for the rest of what it is sent.</param>
    public static SessionEnd ClosedByPeer(bool awaitsRest)
        => new(
            new YamuxException(YamuxErrorCode.ConnectionLost, "The peer closed the yamux connection."),
            LastWord: null,
            Drains: awaitsRest,
            IsFailure: false);

    /// <summary>Ended by the user, and a failure if there is a reason for it.</summary>
    public static SessionEnd Aborted(Exception? reason)
        => new(
            new YamuxException(
                YamuxErrorCode.SessionClosed, reason is null ? "The yamux session was aborted." : $"The yamux session was aborted: {reason.Message}", reason),
            LastWord: null,
            Drains: false,
            IsFailure: reason is not null);

    /// <summary>The peer broke the protocol, this end failed, the transport did, or the peer says that one of these was so.</summary>
    public static SessionEnd Failed(YamuxException reason)
    {
        GoAwayCode? lastWord = reason.ErrorCode switch
        {
            YamuxErrorCode.ProtocolError => GoAwayCode.ProtocolError,
            YamuxErrorCode.InternalError => GoAwayCode.InternalError,
            _ => null,
        };
        return new SessionEnd(reason, lastWord, Drains: lastWord is not null, IsFailure: true);
    }
}
