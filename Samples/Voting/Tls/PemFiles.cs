using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Voting.Tls;

/// <summary>Reads certificates. What is wrong with a file is told with its name and the option that named it.</summary>
internal static class PemFiles
{
    public static X509Certificate2Collection LoadAuthorities(string option, string path) => LoadCertificates(option, path);

    /// <summary>Reads a certificate, its intermediates, and its key.</summary>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Chain) LoadCertificate(string option, string certificatePath, string keyPath)
    {
        var chain = LoadCertificates(option, certificatePath);
        var key = Read(option, keyPath);
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), key);

            // Through PKCS#12, because Windows cannot use a key that lives in memory alone.
            return (X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null), chain);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new ExplainedException($"{option}: {keyPath} holds no private key of the certificate in {certificatePath}; it must be PEM, not encrypted.");
        }
    }

    /// <summary>Trusts these authorities, and none of the system's.</summary>
    public static X509ChainPolicy Trust(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static X509Certificate2Collection LoadCertificates(string option, string path)
    {
        var text = Read(option, path);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }

        return certificates.Count > 0
            ? certificates
            : throw new ExplainedException($"{option}: {path} holds no certificate; it must be PEM, with a BEGIN CERTIFICATE line.");
    }

    private static string Read(string option, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ExplainedException($"{option}: cannot read {path}: {error.Message} Name a PEM file.");
        }
    }
}
