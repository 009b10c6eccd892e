namespace Backchannel;

/// <summary>A peer under the name that it has attached with: from the attachment to its end.</summary>
internal sealed class PresentPeer(BackchannelPeer peer, PeerIdentity identity, PeerNames names)
{
    public BackchannelPeer Peer => peer;

    public PeerIdentity Identity => identity;

    public string Name => identity.Name;

    /// <summary>Where it is: here.</summary>
    public PeerLocation Location => new(Name, peer.Replica, Number, peer);

    /// <summary>Which of this server's attachments it is; no other ever has the number.</summary>
    public long Number { get; } = names.NextNumber();

    /// <summary>What the agent is told on its Attach call.</summary>
    public PeerNotices Notices { get; } = new();

    /// <summary>The server ends the attachment, and with it, unless there is a newer one on it, the connection: nobody calls the peer by its name any more, and the agent is told.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="detail">The same for the agent's log; may be empty.</param>
    /// <param name="retryAfter">When it may come back; zero: when it likes.</param>
    public void End(PeerDisconnectReason reason, string detail, TimeSpan retryAfter)
    {
        Notices.Detach(reason, detail, retryAfter); // First, so that the call that ends knows why.
        names.Detach(this, reason);
        if (!peer.IsAttached)
        {
            peer.RequestClose();
        }
    }
}
