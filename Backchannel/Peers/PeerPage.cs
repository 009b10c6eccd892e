namespace Backchannel;

/// <summary>A part of the list of all attached agents, in the order of their names.</summary>
public sealed class PeerPage
{
    internal PeerPage(IReadOnlyList<PeerLocation> peers, string? continuation, IReadOnlyList<string> unreachable)
    {
        Peers = peers;
        Continuation = continuation;
        UnreachableReplicas = unreachable;
    }

    /// <summary>The agents. Each has a place of its own, also where several have one name.</summary>
    public IReadOnlyList<PeerLocation> Peers { get; }

    /// <summary>What to ask for the next part with; null: this is the last.</summary>
    public string? Continuation { get; }

    /// <summary>The ids of the replicas that live and did not answer: their agents are missing.</summary>
    public IReadOnlyList<string> UnreachableReplicas { get; }
}
