namespace Backchannel;

/// <summary>What a replica is about to do.</summary>
public enum ReplicaState
{
    /// <summary>To go on.</summary>
    Live,

    /// <summary>To stop: its agents move elsewhere, and can be called until they have.</summary>
    Draining,
}
