namespace Backchannel;

/// <summary>Where an agent was found.</summary>
/// <param name="Peer">The agent.</param>
/// <param name="Since">When, by the clock's timestamp: after a while it is looked for again.</param>
internal sealed record FarPlace(FarPeer Peer, long Since);
