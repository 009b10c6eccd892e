namespace Backchannel;

/// <summary>A peer has come or gone, as <see cref="IBackchannelPeers.WatchAsync(PeerScope, CancellationToken)"/> tells it.</summary>
public sealed class PeerChange
{
    internal PeerChange(PeerChangeKind kind, PeerLocation location, PeerDisconnectReason? reason = null)
    {
        Kind = kind;
        Location = location;
        Reason = reason;
    }

    /// <summary>Whether it has come or gone.</summary>
    public PeerChangeKind Kind { get; }

    /// <summary>The name that it came under.</summary>
    public string Name => Location.Name;

    /// <summary>Where it is attached, or was.</summary>
    public PeerLocation Location { get; }

    /// <summary>The peer; null if it is, or was, attached to another replica (<see cref="PeerScope.AllReplicas"/>).</summary>
    public BackchannelPeer? Peer => Location.Peer;

    /// <summary>Why it has gone; null if it has come.</summary>
    public PeerDisconnectReason? Reason { get; }
}
