using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Backchannel.Tests.Kit;

/// <summary>An authority, a server's and a client's certificate, made for one test.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset To = From.AddDays(30);

    private TestCertificates(X509Certificate2 authority, X509Certificate2 server, X509Certificate2 client)
    {
        Authority = authority;
        Server = server;
        Client = client;
    }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    public X509Certificate2 Client { get; }

    public static TestCertificates Create(string client = "a client")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var withKey = request.CreateSelfSigned(From, To);
        return new TestCertificates(
            X509CertificateLoader.LoadCertificate(withKey.RawData),
            Issue(withKey, "CN=localhost", "1.3.6.1.5.5.7.3.1"),
            Issue(withKey, $"CN={client}", "1.3.6.1.5.5.7.3.2"));
    }

    /// <summary>Has a client trust servers of this authority's.</summary>
    public void Trust(SocketsHttpHandler handler) => handler.SslOptions.CertificateChainPolicy = NewTrustingPolicy();

    /// <summary>For a client's <see cref="SslStream"/> that trusts servers of this authority's.</summary>
    public SslClientAuthenticationOptions NewClientOptions() => new() { TargetHost = "localhost", CertificateChainPolicy = NewTrustingPolicy() };

    /// <summary>A backchannel's endpoint that asks for the client's certificate.</summary>
    /// <param name="mode">Whether there must be one.</param>
    /// <param name="ofAnybody">Whether it may come from another authority.</param>
    public Action<ListenOptions> MutualTls(ClientCertificateMode mode = ClientCertificateMode.RequireCertificate, bool ofAnybody = false) => listen => listen
        .UseHttps(Server, https =>
        {
            https.ClientCertificateMode = mode;
            https.ClientCertificateValidation = (certificate, _, _) => ofAnybody || certificate.Issuer == Authority.Subject;
        })
        .UseBackchannel();

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
        Client.Dispose();
    }

    private X509ChainPolicy NewTrustingPolicy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, From, To, RandomNumberGenerator.GetBytes(8));
        using var withKey = issued.CopyWithPrivateKey(key);

        // Through PKCS#12, because some platforms cannot use a key that lives in memory alone.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
