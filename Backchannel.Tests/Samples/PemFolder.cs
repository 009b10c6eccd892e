using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Backchannel.Tests.Samples;

/// <summary>A temporary folder with certificates and keys as PEM, made for one class of tests.</summary>
public sealed class PemFolder : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset To = From.AddDays(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("voting-");

    public PemFolder()
    {
        using var authority = CreateAuthority("ca");
        using var stranger = CreateAuthority("other-ca");
        Issue(authority, "server", names => names.AddIpAddress(IPAddress.Loopback));
        Issue(authority, "elsewhere", names => names.AddDnsName("elsewhere.invalid"));
        Issue(authority, "client", names => names.AddDnsName("client"));
        Issue(stranger, "stranger", names => names.AddDnsName("stranger"));
    }

    /// <summary>The path of <c>ca.pem</c>, <c>server.pem</c>, <c>server.key</c> …</summary>
    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Trusts the authority of <c>ca.pem</c> alone.</summary>
    public X509ChainPolicy Trust() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(this["ca.pem"]) },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    public void Dispose() => _folder.Delete(recursive: true);

    private X509Certificate2 CreateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var certificate = request.CreateSelfSigned(From, To);
        File.WriteAllText(this[$"{name}.pem"], certificate.ExportCertificatePem());
        return certificate;
    }

    private void Issue(X509Certificate2 authority, string name, Action<SubjectAlternativeNameBuilder> addName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        addName(names);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, From, To, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(this[$"{name}.pem"], certificate.ExportCertificatePem());
        File.WriteAllText(this[$"{name}.key"], key.ExportPkcs8PrivateKeyPem());
    }
}
