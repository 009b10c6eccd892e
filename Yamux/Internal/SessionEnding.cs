namespace Yamux.Internal;

/// <summary>The ways in which a session ends.</summary>
internal enum SessionEnding
{
    /// <summary>Disposed: GoAway(0), everything queued is sent, the transport is closed.</summary>
    Disposed,

    /// <summary>The peer closed the transport between two frames.</summary>
    ClosedByPeer,

    /// <summary>The peer broke the protocol: GoAway(1), everything queued is sent, the transport is closed.</summary>
    ProtocolError,

    /// <summary>This end failed: GoAway(2), everything queued is sent, the transport is closed.</summary>
    InternalError,

    /// <summary>The transport failed, or the peer says that it or we did: the transport is closed.</summary>
    Failed,

    /// <summary>Aborted by the user, who gave no reason: the transport is closed.</summary>
    Aborted,
}
