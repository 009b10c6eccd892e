namespace Backchannel;

/// <summary>Where an agent is attached, at the time of the question.</summary>
public sealed class PeerLocation
{
    internal PeerLocation(string? name, string? replica, BackchannelPeer? peer)
    {
        Name = name;
        Replica = replica;
        Peer = peer;
    }

    /// <summary>The agent's name; null for a client that has not attached, which interceptors of calls to it see.</summary>
    public string? Name { get; }

    /// <summary>The id of the replica that it is attached to; null where there is one server alone (no <c>AddReplicas</c>).</summary>
    public string? Replica { get; }

    /// <summary>The peer, if it is attached to this replica; null if it is to another.</summary>
    public BackchannelPeer? Peer { get; }

    /// <summary>Whether it is attached to this replica.</summary>
    public bool IsLocal => Peer is not null;

    /// <inheritdoc/>
    public override string ToString() => Replica is null ? $"{Name}" : $"{Name} at replica {Replica}{(IsLocal ? " (this one)" : "")}";
}
