using System.Net.Sockets;
using Yamux;

namespace Backchannel;

/// <summary>
/// Connects as <see cref="SocketsHttpHandler"/> does by itself, with a socket that holds little unsent: under TLS the session does not see it, and could not
/// tell a slow link from a dead one.
/// </summary>
internal static class TunedConnect
{
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.ConfigureForYamux();
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return SpeaksTls(context)
                ? new TlsConnection(socket, ConnectFailure.Address(context.InitialRequestMessage.RequestUri!), isProxy: context.InitialRequestMessage.Method == HttpMethod.Connect)
                : new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Not to a SOCKS proxy, whose own protocol comes first.
    private static bool SpeaksTls(SocketsHttpConnectionContext context)
        => context.InitialRequestMessage.RequestUri is { Scheme: "https" } uri && (uri.IdnHost, uri.Port) == (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
}
