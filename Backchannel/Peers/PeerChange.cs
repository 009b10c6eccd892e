namespace Backchannel;

/// <summary>A peer has come or gone, as <see cref="IBackchannelPeers.WatchAsync"/> tells it.</summary>
public sealed class PeerChange
{
    internal PeerChange(PeerChangeKind kind, string name, BackchannelPeer peer, PeerDisconnectReason? reason = null)
    {
        Kind = kind;
        Name = name;
        Peer = peer;
        Reason = reason;
    }

    /// <summary>Whether it has come or gone.</summary>
    public PeerChangeKind Kind { get; }

    /// <summary>The name that it came under.</summary>
    public string Name { get; }

    /// <summary>The peer.</summary>
    public BackchannelPeer Peer { get; }

    /// <summary>Why it has gone; null if it has come.</summary>
    public PeerDisconnectReason? Reason { get; }
}
