using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fleet;

/// <summary>An authority that lives as long as the program, or in a folder, and the certificates that it issues. A real fleet has its own.</summary>
internal sealed class FleetCertificates : IDisposable
{
    private const string AuthorityFile = "authority.pem";

    private readonly X509Certificate2 _authority;

    private FleetCertificates(X509Certificate2 authority)
    {
        _authority = authority;
        Server = Issue("localhost", "1.3.6.1.5.5.7.3.1");
    }

    /// <summary>The server's certificate, for localhost.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>A new authority.</summary>
    public static FleetCertificates Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fleet authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return new FleetCertificates(request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30)));
    }

    /// <summary>The authority of a folder, made if there is none yet.</summary>
    public static FleetCertificates LoadOrCreate(string folder)
    {
        var path = Path.Combine(folder, AuthorityFile);
        if (File.Exists(path))
        {
            return new FleetCertificates(X509Certificate2.CreateFromPemFile(path, path));
        }

        var created = Create();
        Directory.CreateDirectory(folder);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; // The key is in it.
        }

        using var file = new StreamWriter(path, options);
        file.WriteLine(created._authority.ExportCertificatePem());
        file.WriteLine(created._authority.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return created;
    }

    /// <summary>A device's certificate: its name is the common name of the subject.</summary>
    public X509Certificate2 CreateDevice(string name) => Issue(name, "1.3.6.1.5.5.7.3.2");

    /// <summary>Trusts this authority, and none of the system's.</summary>
    public X509ChainPolicy Trust() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _authority },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    public void Dispose()
    {
        Server.Dispose();
        _authority.Dispose();
    }

    private X509Certificate2 Issue(string name, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), _authority.NotAfter, RandomNumberGenerator.GetBytes(16));
        using var withKey = issued.CopyWithPrivateKey(key);

        // Through PKCS#12, because Windows cannot use a key that lives in memory alone.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
