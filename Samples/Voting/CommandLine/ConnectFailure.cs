using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;
using Voting.Tls;

namespace Voting.CommandLine;

/// <summary>Says why a client cannot talk to its server, and what to do.</summary>
internal sealed class ConnectFailure(Address address, ClientTls? tls)
{
    /// <summary>Whether a call failed because its connection did, and not because the server said so.</summary>
    public static bool TryGetCause(RpcException error, [NotNullWhen(true)] out Exception? cause)
    {
        cause = error.Status.DebugException;

        // A reset of the call alone has an error code; a connection that closes in good order has none.
        return cause is HttpRequestException or SocketException or IOException and not HttpProtocolException { ErrorCode: not 0 };
    }

    public ExplainedException Explain(Exception cause)
    {
        for (var error = cause; error is not null; error = error.InnerException)
        {
            if (error is AuthenticationException)
            {
                return new($"TLS with {address} failed: {error.GetBaseException().Message.TrimEnd('.')}. Check that the server speaks TLS, that its certificate names the host of --connect, and that --tls-ca holds the authority that signed it.");
            }

            if (error is SocketException { SocketErrorCode: not (SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown) })
            {
                var reason = address.EndPoint is UnixDomainSocketEndPoint unix && !File.Exists(unix.ToString()) ? "there is no such file" : error.Message;
                var listen = address.EndPoint is DnsEndPoint name ? $"127.0.0.1:{name.Port}" : address.ToString();
                return new($"no server answers at {address}: {reason}. Check --connect, or start one: server --listen {listen}");
            }
        }

        var advice = tls is null ? "If it speaks TLS, add --tls-ca CA." : "If it asks for a client's certificate, add --cert CERT KEY, signed by an authority that it takes.";
        return new($"{address} closed the connection. {advice}");
    }
}
