namespace Backchannel;

/// <summary>Where an agent is attached, at the time of the question. Two are equal that tell of one attachment.</summary>
public sealed record PeerLocation
{
    internal PeerLocation(string? name, string? replica, long attachment, BackchannelPeer? peer)
    {
        Name = name ?? "";
        Replica = replica;
        Attachment = attachment;
        Peer = peer;
    }

    /// <summary>The agent's name; empty for a client that has not attached, as an interceptor of calls to it sees it.</summary>
    public string Name { get; }

    /// <summary>The id of the replica that it is attached to, another at each start of that; null where there is one server alone (no <see cref="BackchannelReplicaBuilderExtensions.AddReplicas"/>).</summary>
    public string? Replica { get; }

    /// <summary>Which of the replica's attachments it is: a number that it gives once. 0 where it is not known, while the directory is away, and for a client that has not attached.</summary>
    public long Attachment { get; }

    /// <summary>The peer, if it is attached to this replica; null if it is to another.</summary>
    public BackchannelPeer? Peer { get; }

    /// <summary>Whether it is attached to this replica.</summary>
    public bool IsLocal => Peer is not null;

    /// <inheritdoc/>
    public override string ToString() => Replica is null ? Name : $"{Name} at replica {Replica}{(IsLocal ? " (this one)" : "")}";
}
