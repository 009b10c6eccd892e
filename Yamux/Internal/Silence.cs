namespace Yamux.Internal;

/// <summary>For what a session waits, and is not to wait longer than its options say while nothing moves.</summary>
internal enum Silence
{
    /// <summary>The transport does not take what is written.</summary>
    Write,

    /// <summary>Nothing has come since a keepalive ping.</summary>
    KeepAlive,

    /// <summary>The session closes, and the peer does not say that it has everything.</summary>
    Close,
}
