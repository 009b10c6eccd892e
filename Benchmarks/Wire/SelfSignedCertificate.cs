using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Benchmarks.Wire;

/// <summary>A certificate for one run, with the kind of key that Go makes by default.</summary>
internal static class SelfSignedCertificate
{
    public static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }
}
