using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Backchannel;

/// <inheritdoc cref="IBackchannelServerFeature"/>
internal sealed class BackchannelServerFeature(ConnectionKey key, Stream transport) : IBackchannelServerFeature
{
    public Uri Address { get; } = new UriBuilder(key.Scheme, key.Host, key.Port).Uri;

    public X509Certificate2? Certificate { get; } = (transport as SslStream)?.RemoteCertificate is { } certificate ? certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()) : null;
}
