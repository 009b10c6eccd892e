namespace Interop.Tests.Calls;

/// <summary>What a connection is made of below the handshake.</summary>
public enum Transport
{
    /// <summary>TCP over IPv4.</summary>
    IPv4,

    /// <summary>TCP over IPv6.</summary>
    IPv6,

    /// <summary>A Unix socket, whose client has no address.</summary>
    Unix,

    /// <summary>TLS over IPv4, with a certificate of the server's alone, as Gitaly has it.</summary>
    Tls,

    /// <summary>TLS over IPv4, with certificates of both.</summary>
    MutualTls,
}
