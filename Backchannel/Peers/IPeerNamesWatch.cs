namespace Backchannel;

/// <summary>Is told of who attaches and leaves, under the gate of <see cref="PeerNames"/>: it neither waits nor calls out.</summary>
internal interface IPeerNamesWatch
{
    void OnConnected(PresentPeer peer);

    void OnDisconnected(PresentPeer peer, PeerDisconnectReason reason);
}
