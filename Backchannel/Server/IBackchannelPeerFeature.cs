namespace Backchannel;

/// <summary>A feature of multiplexed connections, visible to their requests: who is at the other end.</summary>
public interface IBackchannelPeerFeature
{
    /// <summary>The client of the connection.</summary>
    BackchannelPeer Peer { get; }
}
