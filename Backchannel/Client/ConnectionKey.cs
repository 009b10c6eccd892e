using System.Net.Security;
using System.Security.Cryptography;

namespace Backchannel;

/// <summary>
/// What two connections must have in common for one of them to serve for both: where they go and by which way, whom they have found there, as whom, and how
/// well they are protected. TLS tells of the connection at hand, which its own handler has made and found good: so a handler that is content with less
/// can not lend another one a connection that this would have refused.
/// </summary>
internal sealed record ConnectionKey(
    string Scheme,
    string Host,
    int Port,
    string? Proxy,
    Delegate? ConnectCallback,
    Delegate? Filter,
    string? ServerName,
    string? ServerCertificate,
    string? ClientCertificate,
    string? Protection)
{
    /// <summary>Whether the server's address is https.</summary>
    public bool IsTls => Scheme == Uri.UriSchemeHttps;

    /// <param name="context">The connection that was made.</param>
    /// <param name="handler">Who made it.</param>
    /// <param name="filter">The filter of its own that the handler had.</param>
    public static ConnectionKey Of(SocketsHttpPlaintextStreamFilterContext context, SocketsHttpHandler handler, Delegate? filter)
    {
        var address = context.InitialRequestMessage.RequestUri!;
        var tls = context.PlaintextStream as SslStream;
        return new ConnectionKey(
            address.Scheme,
            address.IdnHost,
            address.Port,
            ProxyOf(handler, address),
            handler.ConnectCallback,
            filter,
            tls?.TargetHostName,
            tls?.RemoteCertificate?.GetCertHashString(HashAlgorithmName.SHA256),
            tls?.LocalCertificate?.GetCertHashString(HashAlgorithmName.SHA256),
            tls is null ? null : $"{tls.SslProtocol} {tls.NegotiatedCipherSuite}");
    }

    // With the name of the user there. Who has the name and not the password has not got as far as here.
    private static string? ProxyOf(SocketsHttpHandler handler, Uri address)
    {
        if (HandlerProxy.Find(handler, address) is not { } uri)
        {
            return null;
        }

        var user = HandlerProxy.Credentials(handler)?.GetCredential(uri, "Basic");
        return $"{uri} {user?.Domain}\\{user?.UserName}";
    }
}
