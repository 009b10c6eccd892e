using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Backchannel;

/// <summary>The HTTP of the channel to a peer: connections are streams of its session, and no request begins once the peer drains, or has as many as it may have.</summary>
internal sealed class PeerHandler : DispatchHandler
{
    private readonly ICallee? _peer;

    /// <param name="peer">The peer. Null: for a channel that is made for the sake of its options, and not used.</param>
    /// <param name="idleTimeout">After how long without a call its connections are closed.</param>
    public PeerHandler(ICallee? peer, TimeSpan idleTimeout)
        : base(new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => peer!.ConnectAsync(cancellationToken),
            PooledConnectionIdleTimeout = idleTimeout,
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,

            // It would put an activity of its own between the span of the call and what the client does, which nobody exports who does not ask for those of HTTP.
            ActivityHeadersPropagator = null,
        })
        => _peer = peer;

    // The connections hear of the drain in their own time.
    protected override async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _peer!.ThrowIfDraining();
        if (request.RequestUri is { Scheme: "https" } uri)
        {
            request.RequestUri = new UriBuilder(uri) { Scheme = Uri.UriSchemeHttp, Port = -1 }.Uri; // There is TLS already, around all of the session.
        }

        if (Caller(Activity.Current) is { } activity)
        {
            DistributedContextPropagator.Current.Inject(activity, request.Headers, AddHeader);
        }

        var calls = _peer.Calls;
        if (!calls.TryBegin())
        {
            throw new NotDispatchedException(new Status(
                StatusCode.ResourceExhausted,
                FormattableString.Invariant($"{calls.Most} calls to {_peer.Description} run already, which is the most ({nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.MaxCallsPerPeer)})")));
        }

        try
        {
            var response = await base.SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
            response.Content = new CountedContent(response.Content, calls);
            return response;
        }
        catch
        {
            calls.End();
            throw;
        }
    }

    // gRPC makes an activity that nobody exports, unless its own are listened to: of a source without a name.
    private static Activity? Caller(Activity? current)
        => current is { OperationName: "Grpc.Net.Client.GrpcOut", Source.Name: "", Parent: { } caller } ? caller : current;

    private static void AddHeader(object? headers, string name, string value)
    {
        if (headers is HttpRequestHeaders of && !of.Contains(name))
        {
            of.TryAddWithoutValidation(name, value);
        }
    }
}
