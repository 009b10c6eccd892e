using System.Net.Security;

namespace Backchannel;

/// <summary>
/// What two connections must have in common for one of them to serve for both: where they go, and as whom. The certificate is the one
/// that the client has shown in this very connection.
/// </summary>
internal sealed record ConnectionKey(string Scheme, string Host, int Port, string? ServerName, string? ClientCertificate, Delegate? ConnectCallback)
{
    public static ConnectionKey Of(SocketsHttpPlaintextStreamFilterContext context, SocketsHttpHandler handler)
    {
        var address = context.InitialRequestMessage.RequestUri!;
        return new ConnectionKey(
            address.Scheme,
            address.IdnHost,
            address.Port,
            handler.SslOptions.TargetHost,
            (context.PlaintextStream as SslStream)?.LocalCertificate?.GetCertHashString(),
            handler.ConnectCallback);
    }
}
