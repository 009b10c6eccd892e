namespace Yamux.Internal;

/// <summary>What keeps a sender from sending more.</summary>
internal enum SendWait
{
    /// <summary>Nothing: all was sent.</summary>
    None,

    /// <summary>The peer has given no more credit on the stream.</summary>
    Credit,

    /// <summary>Too much of the session's waits for the transport.</summary>
    Transport,
}
