namespace Yamux.Tests.Kit;

/// <summary>What is between the two ends of a <see cref="SessionPair"/>.</summary>
public enum PairTransport
{
    /// <summary>Pipes in memory.</summary>
    Pipes,

    /// <summary>Two sockets.</summary>
    Sockets,

    /// <summary>TLS over two sockets.</summary>
    Tls,
}
