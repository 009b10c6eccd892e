namespace Backchannel;

/// <summary>Why a peer can no longer be called by its name.</summary>
public enum PeerDisconnectReason
{
    /// <summary>The agent has ended its attachment, or closed the connection in good order.</summary>
    Left,

    /// <summary>The connection has failed, or the agent was silent for too long.</summary>
    ConnectionLost,

    /// <summary>The same instance of the agent has attached on another connection.</summary>
    Superseded,

    /// <summary><see cref="BackchannelPeer.DisconnectAsync"/> was called.</summary>
    Kicked,

    /// <summary>The server stops, or was drained.</summary>
    ServerStopping,

    /// <summary>It was attached here for a moment, until it was known that other replicas have the name, as often as it may be had.</summary>
    Refused,

    /// <summary>The replica that it was attached to cannot be reached (<see cref="PeerScope.AllReplicas"/>). It is told of again when that can be, or when it is attached elsewhere.</summary>
    ReplicaUnreachable,
}
