using System.Net.Sockets;

namespace Backchannel;

/// <summary>Says why no connection with a backchannel came about, where the HTTP client says what layers it went through.</summary>
internal static class ConnectFailure
{
    /// <summary>The failure with its reason first; null if the reason is none of ours.</summary>
    /// <param name="failure">What the HTTP client says.</param>
    /// <param name="request">Where the request was to go.</param>
    /// <param name="proxy">By way of this, or of none.</param>
    public static HttpRequestException? Explain(HttpRequestException failure, Uri request, Uri? proxy)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is BackchannelConnectException known)
            {
                return New(HttpRequestError.ConnectionError, known.Message, known.InnerException);
            }
        }

        var address = Address(request);
        var by = proxy is null ? null : Address(proxy);
        var told = failure.HttpRequestError switch
        {
            HttpRequestError.VersionNegotiationError when request.Scheme == Uri.UriSchemeHttps && failure.InnerException is null => NoHttp2(address),
            HttpRequestError.VersionNegotiationError when request.Scheme == Uri.UriSchemeHttp && proxy is not null => NoCleartextThroughProxy(address),
            HttpRequestError.SecureConnectionError when proxy?.Scheme != Uri.UriSchemeHttps && Sentence(failure).Contains("no application protocol", StringComparison.Ordinal) => NoHttp2(address),
            HttpRequestError.SecureConnectionError => NoTls(Way(address, proxy), Sentence(failure)),

            // A 407 to whose schemes the HTTP client had no answer. Its own message would tell the password that a proxy's address may have.
            HttpRequestError.ProxyTunnelError when failure.StatusCode is { } status => $"The proxy {by} opens no tunnel to {address}: it answered {(int)status}.",
            HttpRequestError.ProxyTunnelError => $"The proxy {by} opens no tunnel to {address}: {Sentence(failure)}",
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError when proxy is not null
                => $"The proxy {by} of {address} is not to be reached: {Sentence(failure)}",

            // A ConnectCallback that fails in a way of its own. A socket's and a stream's failures gRPC tells as they are.
            HttpRequestError.ConnectionError when failure.GetBaseException() is not (IOException or SocketException) => $"No connection to {address}: {Sentence(failure)}",
            _ => null,
        };
        return told is null ? null : New(failure.HttpRequestError, told, failure.HttpRequestError == HttpRequestError.ProxyTunnelError ? failure.InnerException : failure);
    }

    public static HttpRequestException TimedOut(Uri request, Uri? proxy, TimeSpan limit, Exception timeout) => New(
        HttpRequestError.ConnectionError,
        $"No connection to {Address(request)}{(proxy is null ? "" : $", by way of the proxy {Address(proxy)},")} within {limit.TotalSeconds} s (SocketsHttpHandler.ConnectTimeout): it cannot be reached, or does not answer.",
        timeout);

    /// <summary>A server that has TLS, and not HTTP/2.</summary>
    public static string NoHttp2(string address)
        => $"{address} speaks TLS, and offers no HTTP/2 (ALPN). gRPC needs it: at Kestrel, listen.Protocols must have HttpProtocols.Http2. Something between here and the server may have taken its place, too.";

    // Where the connection is not one that TlsConnection looks at, or its certificate is the reason.
    private static string NoTls(string with, string cause)
    {
        var advice = cause.StartsWith("The remote certificate", StringComparison.Ordinal)
            ? "What is accepted besides what this machine trusts, and by what name, is for handler.SslOptions to say; a developer's certificate is trusted by dotnet dev-certs https --trust."
            : "If it speaks no TLS, the address must begin with http://.";
        return $"The TLS handshake with {with} failed: {cause} {advice}";
    }

    // The handshake is one of two with a proxy that has TLS itself, and the HTTP client does not say which.
    private static string Way(string address, Uri? proxy) => proxy switch
    {
        null => address,
        { Scheme: "https" } => $"{address}, or with its proxy {Address(proxy)},",
        _ => $"{address} through the proxy {Address(proxy)}",
    };

    // What lies under it all; not each of .NET's messages ends as a sentence does.
    private static string Sentence(HttpRequestException failure) => $"{failure.GetBaseException().Message.TrimEnd('.')}.";

    // The HTTP client asks an HTTP proxy for a tunnel to an https address alone, and gives up without one.
    private static string NoCleartextThroughProxy(string address)
        => $"{address} is to be reached through an HTTP proxy (SocketsHttpHandler.Proxy, or HTTP_PROXY in the environment), which carries only https:// addresses. Use an https:// address, a SOCKS proxy, or UseProxy = false.";

    /// <summary>Without what a message must not tell: a user and a password.</summary>
    public static string Address(Uri uri) => uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    // gRPC tells each exception of the chain, and takes it for Unavailable if one is an IOException.
    private static HttpRequestException New(HttpRequestError error, string message, Exception? cause)
        => new(error, message, new IOException("The backchannel was not established.", cause));
}
