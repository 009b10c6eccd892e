namespace Backchannel;

/// <summary>Of which agents is told.</summary>
public enum PeerScope
{
    /// <summary>Of those that are attached to this replica.</summary>
    ThisReplica,

    /// <summary>Of those of all replicas that can be reached.</summary>
    AllReplicas,
}
