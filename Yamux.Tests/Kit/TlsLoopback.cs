using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Yamux.Tests.Kit;

/// <summary>TLS over a connection of this machine, with a certificate that is made when it is first used.</summary>
public static class TlsLoopback
{
    private const string Name = "localhost";
    private static readonly X509Certificate2 Certificate = NewCertificate();

    /// <summary>Agrees upon the keys. The first end is the client of TLS.</summary>
    public static async Task<(Stream First, Stream Second)> SecureAsync(Stream first, Stream second)
    {
        var (client, server) = (new SslStream(first), new SslStream(second));
        await SecureAsync(client, server);
        return (client, server);
    }

    /// <inheritdoc cref="SecureAsync(Stream, Stream)"/>
    public static Task SecureAsync(SslStream client, SslStream server)
        => Task.WhenAll(server.AuthenticateAsServerAsync(Certificate), client.AuthenticateAsClientAsync(NewClientOptions())).Guarded();

    private static SslClientAuthenticationOptions NewClientOptions() => new()
    {
        TargetHost = Name,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { Certificate },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));

        // Through PKCS#12, because some platforms cannot use a key that lives in memory alone.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
