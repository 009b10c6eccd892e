using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>Where a server of either language listens, and with which certificates; made for one test.</summary>
internal sealed class Endpoint(Transport transport) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("interop-");

    public Transport Transport => transport;

    public string SocketPath => Path.Combine(_folder.FullName, "socket");

    public TestCertificates? Certificates { get; } = transport is Transport.Tls or Transport.MutualTls ? new TestCertificates() : null;

    public bool ClientHasCertificate => transport == Transport.MutualTls;

    /// <summary>The flags of a Go peer that is the server.</summary>
    public string[] ServerArguments => transport switch
    {
        Transport.IPv4 => [],
        Transport.IPv6 => ["-listen", "[::1]:0"],
        Transport.Unix => ["-listen", $"unix:{SocketPath}"],
        Transport.Tls => Certificates!.LoneServerArguments,
        _ => Certificates!.ServerArguments,
    };

    /// <summary>The flags of a Go peer that is the client.</summary>
    public string[] ClientArguments => transport switch
    {
        Transport.Tls => Certificates!.StrangerArguments,
        Transport.MutualTls => Certificates!.ClientArguments,
        _ => [],
    };

    public void Dispose()
    {
        Certificates?.Dispose();
        _folder.Delete(recursive: true);
    }
}
