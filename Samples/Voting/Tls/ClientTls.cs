using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Voting.Tls;

/// <summary>The client's TLS: whose servers it takes and, for mutual TLS, its own certificate.</summary>
internal sealed class ClientTls(X509Certificate2Collection authorities, SslStreamCertificateContext? certificate)
{
    /// <summary>Whether the client has a certificate to show.</summary>
    public bool HasCertificate => certificate is not null;

    /// <summary>What the options ask for; null without TLS.</summary>
    public static ClientTls? Load(string? serverCa, string[]? certificateAndKey)
    {
        var hasCertificate = certificateAndKey is { Length: > 0 };
        if (serverCa is null)
        {
            return hasCertificate ? throw new ExplainedException($"--cert {certificateAndKey![0]}: needs TLS, add --tls-ca CA.") : null;
        }

        var authorities = PemFiles.LoadAuthorities("--tls-ca", serverCa);
        if (certificateAndKey is not [var certificatePath, var keyPath])
        {
            return new ClientTls(authorities, null);
        }

        var (certificate, chain) = PemFiles.LoadCertificate("--cert", certificatePath, keyPath);
        return new ClientTls(authorities, SslStreamCertificateContext.Create(certificate, chain, offline: true));
    }

    public SslClientAuthenticationOptions CreateOptions() => new()
    {
        CertificateChainPolicy = PemFiles.Trust(authorities),
        ClientCertificateContext = certificate,
    };
}
