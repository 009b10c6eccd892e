namespace Yamux;

/// <summary>What ended a stream or a session, or why an operation was refused.</summary>
public enum YamuxErrorCode
{
    /// <summary>The session was closed at this end.</summary>
    SessionClosed,

    /// <summary>The transport ended or failed: the peer closed the connection, or it was lost.</summary>
    ConnectionLost,

    /// <summary>The peer broke the protocol. It was told so by a GoAway with code 1.</summary>
    ProtocolError,

    /// <summary>The peer ended the session and says that this end broke the protocol (GoAway with code 1).</summary>
    RemoteProtocolError,

    /// <summary>The peer ended the session and says that it failed (GoAway with code 2, or with a code that does not exist).</summary>
    RemoteInternalError,

    /// <summary>This end failed by a fault of its own. The peer was told so by a GoAway with code 2.</summary>
    InternalError,

    /// <summary>While bytes waited to be sent, the transport took none and brought none for <see cref="YamuxOptions.ConnectionWriteTimeout"/>.</summary>
    ConnectionWriteTimeout,

    /// <summary>Nothing moved in either direction for <see cref="YamuxOptions.KeepAliveTimeout"/> after a keepalive ping.</summary>
    KeepAliveTimeout,

    /// <summary>The session takes no new streams since one of its ends has sent GoAway; those that run go on.</summary>
    GoAway,

    /// <summary>All stream ids of this end are used up; a new session is needed.</summary>
    StreamsExhausted,

    /// <summary>The peer aborted the stream (RST).</summary>
    StreamReset,

    /// <summary>The stream was aborted at this end.</summary>
    StreamAborted,

    /// <summary>The peer did not acknowledge the stream within <see cref="YamuxOptions.StreamOpenTimeout"/>.</summary>
    StreamOpenTimeout,

    /// <summary>
    /// The peer did not close the stream within <see cref="YamuxOptions.StreamCloseTimeout"/> after this end had, or went on sending on it for longer than
    /// <see cref="YamuxOptions.StreamDiscardTimeout"/>.
    /// </summary>
    StreamCloseTimeout,

    /// <summary>
    /// The peer did not answer a ping within <see cref="YamuxOptions.PingTimeout"/>. The session goes on: the ping may only be late.
    /// </summary>
    PingTimeout,

    /// <summary>
    /// A reader that consumes nothing waits for more than the window and the 1 MiB that it is lent. The stream goes on: the next read
    /// shows what there is once more, to be consumed.
    /// </summary>
    ReadLimitExceeded,
}
