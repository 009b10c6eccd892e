using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Interop.Tests.Support;

/// <summary>A certificate authority, a server's certificate for the loopback address and a client's, made for one test.</summary>
internal sealed class TestCertificates : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("interop-");

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
        System.IO.File.WriteAllText(AuthorityFile, Authority.ExportCertificatePem());

        Server = Issue("server", ServerAuthentication, 1);
        Client = Issue(ClientName, ClientAuthentication, 2);
    }

    public static string ClientName => "a voter";

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    public X509Certificate2 Client { get; }

    /// <summary>The flags of a Go peer that is the server.</summary>
    public string[] ServerArguments => Arguments(1);

    /// <summary>The flags of a Go peer that is the client.</summary>
    public string[] ClientArguments => Arguments(2);

    /// <summary>The flags of a Go peer that is a server for clients without a certificate.</summary>
    public string[] LoneServerArguments => Certificate(1);

    /// <summary>The flags of a Go peer that is a client without a certificate.</summary>
    public string[] StrangerArguments => ["-ca", AuthorityFile];

    private string AuthorityFile => File("authority.pem");

    /// <summary>Whether a certificate was issued by the authority.</summary>
    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(Authority);
        return policy;
    }

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
        Client.Dispose();
        _folder.Delete(recursive: true);
    }

    private string[] Arguments(byte serial) => [.. Certificate(serial), "-ca", AuthorityFile];

    private string[] Certificate(byte serial) => ["-cert", File($"{serial}.pem"), "-key", File($"{serial}.key")];

    private string File(string name) => Path.Combine(_folder.FullName, name);

    private X509Certificate2 Issue(string name, string purpose, byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        using var issued = request.Create(Authority, Authority.NotBefore, Authority.NotAfter, [serial]);
        var certificate = issued.CopyWithPrivateKey(key);
        System.IO.File.WriteAllText(File($"{serial}.pem"), certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(File($"{serial}.key"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
