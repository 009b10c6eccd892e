namespace Backchannel.Tests.Transports.Kit;

/// <summary>What a session runs over.</summary>
public enum TransportKind
{
    /// <summary>A <see cref="System.Net.Sockets.NetworkStream"/>.</summary>
    Socket,

    /// <summary>A <see cref="System.Net.Security.SslStream"/>.</summary>
    Tls,

    /// <summary>A connection of Kestrel's.</summary>
    Kestrel,

    /// <summary>A connection of Kestrel's, which has TLS.</summary>
    KestrelTls,
}
