using Yamux.Protocol;

namespace Yamux.Internal;

/// <summary>How a session ends: what the peer is told, what of its is still sent, and what is dropped.</summary>
/// <param name="Reason">What its streams, and who wants to open another, are told.</param>
/// <param name="LastWord">What the peer is told, behind everything that was queued; null: nothing.</param>
/// <param name="Drains">Whether what was queued is still sent. Else the connection is closed at once.</param>
/// <param name="IsFailure">Whether the session has failed, or was closed.</param>
/// <param name="DropsUnaccepted">Whether streams that nobody has accepted yet are lost; else they can be, for the peer may have sent and closed all of them.</param>
internal sealed record SessionEnd(YamuxException Reason, GoAwayCode? LastWord, bool Drains, bool IsFailure, bool DropsUnaccepted)
{
    /// <summary>Closed in order at this end: the connection is closed when the peer has everything.</summary>
    public static SessionEnd Closed()
        => new(new YamuxException(YamuxErrorCode.SessionClosed, "The yamux session was closed at this end."), GoAwayCode.Normal, Drains: true, IsFailure: false, DropsUnaccepted: true);

    /// <summary>The peer closed the connection in order.</summary>
    /// <param name="awaitsAnswer">Whether its other direction may be open, and the answer to its last ping is what it waits for.</param>
    public static SessionEnd ClosedByPeer(bool awaitsAnswer)
        => new(
            new YamuxException(YamuxErrorCode.ConnectionLost, "The peer closed the yamux connection."),
            LastWord: null,
            Drains: awaitsAnswer,
            IsFailure: false,
            DropsUnaccepted: false);

    /// <summary>Ended by the user, and a failure if there is a reason for it.</summary>
    public static SessionEnd Aborted(Exception? reason)
        => new(
            new YamuxException(
                YamuxErrorCode.SessionClosed, reason is null ? "The yamux session was aborted." : $"The yamux session was aborted: {reason.Message}", reason),
            LastWord: null,
            Drains: false,
            IsFailure: reason is not null,
            DropsUnaccepted: reason is null);

    /// <summary>The peer broke the protocol, this end failed, the transport did, or the peer says that one of these was so.</summary>
    public static SessionEnd Failed(YamuxException reason)
    {
        GoAwayCode? lastWord = reason.ErrorCode switch
        {
            YamuxErrorCode.ProtocolError => GoAwayCode.ProtocolError,
            YamuxErrorCode.InternalError => GoAwayCode.InternalError,
            _ => null,
        };
        return new SessionEnd(reason, lastWord, Drains: lastWord is not null, IsFailure: true, DropsUnaccepted: false);
    }
}
