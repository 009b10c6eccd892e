namespace Yamux.Internal;

/// <summary>What a stream is to its session. It follows from the states of the two halves, and only goes downwards.</summary>
internal enum StreamPhase
{
    /// <summary>The stream waits for its acceptance: ours for the peer's ACK, the peer's for whoever accepts it here.</summary>
    Opening,

    /// <summary>The stream was accepted, or the peer has said something on it.</summary>
    Open,

    /// <summary>Both ends have closed it, or it has failed: frames for it are passed over. What had come may still be read.</summary>
    Closed,

    /// <summary>Nothing of it is held any more: its place and its window are the session's again.</summary>
    Released,
}
