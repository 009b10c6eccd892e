namespace Backchannel.Tests.Transports;

/// <summary>Why a session fails.</summary>
public enum Failure
{
    /// <summary>The peer reads nothing, and much waits for it.</summary>
    WriteTimeout,

    /// <summary>The peer is silent.</summary>
    KeepAliveTimeout,

    /// <summary>The peer breaks the protocol, and reads.</summary>
    ProtocolError,

    /// <summary>The peer breaks the protocol, reads nothing, and much waits for it.</summary>
    ProtocolErrorUnread,

    /// <summary>This end gives up, while much waits for a peer that reads nothing.</summary>
    AbortUnread,
}
