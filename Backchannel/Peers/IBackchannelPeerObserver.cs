namespace Backchannel;

/// <summary>
/// Hears of the agents that attach and leave. Added with <see cref="BackchannelServerBuilderExtensions.AddPeerObserver{TObserver}"/>. It is told of one thing at a time: per peer in order and in pairs. What it
/// throws is logged; if it is slow, it hears later, and who has come and gone meanwhile is left out. Neither delays a connection or another observer.
/// </summary>
public interface IBackchannelPeerObserver
{
    /// <summary>A peer can be called by its name.</summary>
    /// <param name="peer">The peer. It may have gone by now; then <see cref="OnDisconnectedAsync"/> follows.</param>
    /// <param name="cancellationToken">Cancelled when the server has to stop.</param>
    ValueTask OnConnectedAsync(BackchannelPeer peer, CancellationToken cancellationToken);

    /// <summary>A peer of which <see cref="OnConnectedAsync"/> has told can no longer be called by its name.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Cancelled when the server has to stop.</param>
    ValueTask OnDisconnectedAsync(BackchannelPeer peer, PeerDisconnectReason reason, CancellationToken cancellationToken);
}
