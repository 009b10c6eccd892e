using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Voting.Tls;

/// <summary>The server's TLS: its certificate and, for mutual TLS, whose clients it takes.</summary>
internal sealed class ServerTls(X509Certificate2 certificate, X509Certificate2Collection chain, X509Certificate2Collection? clientAuthorities)
{
    /// <summary>What the options ask for; null without TLS.</summary>
    public static ServerTls? Load(string[]? certificateAndKey, string? clientCa)
    {
        if (certificateAndKey is not [var certificatePath, var keyPath])
        {
            return clientCa is null ? null : throw new ExplainedException($"--client-ca {clientCa}: needs TLS, add --tls CERT KEY.");
        }

        var (certificate, chain) = PemFiles.LoadCertificate("--tls", certificatePath, keyPath);
        return new ServerTls(certificate, chain, clientCa is null ? null : PemFiles.LoadAuthorities("--client-ca", clientCa));
    }

    public void Configure(HttpsConnectionAdapterOptions https)
    {
        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        https.ServerCertificate = certificate;
        https.ServerCertificateChain = chain;
        if (clientAuthorities is not null)
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.OnAuthenticate = (_, options) => options.CertificateChainPolicy = PemFiles.Trust(clientAuthorities);
        }
    }
}
