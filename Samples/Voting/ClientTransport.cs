using System.Net;
using System.Net.Sockets;
using Voting.Tls;

namespace Voting;

/// <summary>How a client reaches a server: TCP or a Unix socket, with TLS or without.</summary>
internal static class ClientTransport
{
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    public static SocketsHttpHandler CreateHandler(Address server, ClientTls? tls)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectTimeout = ConnectTimeout };
        if (tls is not null)
        {
            handler.SslOptions = tls.CreateOptions();
        }

        if (server.EndPoint is UnixDomainSocketEndPoint unix)
        {
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(unix, cancellationToken);
        }

        return handler;
    }

    /// <summary>The address as gRPC takes it. A server on a Unix socket is known as localhost.</summary>
    public static Uri GetUri(Address server, ClientTls? tls)
    {
        var scheme = tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        return new Uri($"{scheme}://{(server.EndPoint is UnixDomainSocketEndPoint ? "localhost" : server)}");
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
