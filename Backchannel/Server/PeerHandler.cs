using System.Net;

namespace Backchannel;

/// <summary>The HTTP of the channel to a peer: connections are streams of its session, and no request begins once the peer drains.</summary>
internal sealed class PeerHandler : DelegatingHandler
{
    private readonly BackchannelPeer? _peer;

    /// <param name="peer">The peer. Null: for a channel that is made for the sake of its options, and not used.</param>
    /// <param name="options">The server's settings.</param>
    public PeerHandler(BackchannelPeer? peer, BackchannelServerOptions options)
    {
        _peer = peer;
        InnerHandler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => peer!.ConnectAsync(cancellationToken),
            PooledConnectionIdleTimeout = options.IdleTimeout,
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
        };
    }

    // The connections hear of the drain in their own time.
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _peer!.ThrowIfDraining();
        if (request.RequestUri is { Scheme: "https" } uri)
        {
            request.RequestUri = new UriBuilder(uri) { Scheme = Uri.UriSchemeHttp, Port = -1 }.Uri; // There is TLS already, around all of the session.
        }

        return base.SendAsync(request, cancellationToken);
    }
}
