using System.Security.Cryptography.X509Certificates;

namespace Backchannel;

/// <summary>A feature of the connections that a client serves its services on, visible to their requests: which server calls.</summary>
public interface IBackchannelServerFeature
{
    /// <summary>The address that the client has connected to.</summary>
    Uri Address { get; }

    /// <summary>The certificate that the server has shown, which the client has found good; null without TLS.</summary>
    X509Certificate2? Certificate { get; }
}
