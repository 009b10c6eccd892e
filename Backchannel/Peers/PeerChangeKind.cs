namespace Backchannel;

/// <summary>What has happened to a peer.</summary>
public enum PeerChangeKind
{
    /// <summary>It can be called by its name.</summary>
    Connected,

    /// <summary>It can no longer be called by its name.</summary>
    Disconnected,
}
