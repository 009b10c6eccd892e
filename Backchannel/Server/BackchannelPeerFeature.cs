namespace Backchannel;

/// <inheritdoc cref="IBackchannelPeerFeature"/>
internal sealed record BackchannelPeerFeature(BackchannelPeer Peer) : IBackchannelPeerFeature;
