namespace Backchannel;

/// <summary>Says why no connection with a backchannel came about, where the HTTP client says what layers it went through.</summary>
internal static class ConnectFailure
{
    /// <summary>The failure with its reason first; null if the reason is none of ours.</summary>
    public static HttpRequestException? Explain(HttpRequestException failure, Uri request)
    {
        var address = Address(request);
        if (failure.HttpRequestError == HttpRequestError.VersionNegotiationError)
        {
            return New(failure.HttpRequestError, request.Scheme == Uri.UriSchemeHttps ? NoHttp2(address) : NoCleartextThroughProxy(address), failure);
        }

        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is BackchannelConnectException known)
            {
                return New(HttpRequestError.ConnectionError, known.Message, known.InnerException);
            }
        }

        // What the tunnel's own stream has left to the HTTP client: a 407 whose schemes it had no answer to.
        return failure.HttpRequestError == HttpRequestError.ProxyTunnelError
            ? New(failure.HttpRequestError, $"The proxy opens no tunnel to {address}: {failure.Message}", failure)
            : null;
    }

    public static HttpRequestException TimedOut(Uri request, TimeSpan limit, Exception timeout) => New(
        HttpRequestError.ConnectionError,
        $"No connection to {Address(request)} within {limit.TotalSeconds} s (SocketsHttpHandler.ConnectTimeout): it cannot be reached, or does not answer.",
        timeout);

    /// <summary>A server that has TLS, and not HTTP/2.</summary>
    public static string NoHttp2(string address)
        => $"{address} speaks TLS, and offers no HTTP/2 (ALPN). gRPC needs it: at Kestrel, listen.Protocols must have HttpProtocols.Http2. Something between here and the server may have taken its place, too.";

    // The HTTP client asks an HTTP proxy for a tunnel to an https address alone, and gives up without one.
    private static string NoCleartextThroughProxy(string address)
        => $"{address} is to be reached through an HTTP proxy (SocketsHttpHandler.Proxy, or HTTP_PROXY in the environment), which carries https:// addresses alone. Use one, a SOCKS proxy, or UseProxy = false.";

    public static string Address(Uri uri) => uri.GetLeftPart(UriPartial.Authority);

    // gRPC tells each exception of the chain, and takes it for Unavailable if one is an IOException.
    private static HttpRequestException New(HttpRequestError error, string message, Exception? cause)
        => new(error, message, new IOException("The backchannel was not established.", cause));
}
