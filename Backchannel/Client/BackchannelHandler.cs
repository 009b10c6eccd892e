using System.Net;

namespace Backchannel;

/// <summary>
/// Stands before a handler that has a backchannel. It sees the requests, which the handler's hooks do not: they go over HTTP/2 or not at all, and where no
/// connection comes about, the failure says first why.
/// </summary>
internal sealed class BackchannelHandler(SocketsHttpHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequireHttp2(request);
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException failure) when (ConnectFailure.Explain(failure, request.RequestUri!, HandlerProxy.Find(inner, request.RequestUri!)) is { } explained)
        {
            throw explained;
        }
        catch (OperationCanceledException timeout) when (timeout.InnerException is TimeoutException && !cancellationToken.IsCancellationRequested)
        {
            // gRPC would take it for the call's own cancellation, and report that without a word.
            throw ConnectFailure.TimedOut(request.RequestUri!, HandlerProxy.Find(inner, request.RequestUri!), inner.ConnectTimeout, timeout);
        }
    }

    /// <summary>Has the request go over HTTP/2 and nothing else, or refuses it.</summary>
    private static void RequireHttp2(HttpRequestMessage request)
    {
        var says = $"HTTP/{request.Version} ({request.VersionPolicy})";
        switch (request.Version.Major)
        {
            case > 2:
                throw new HttpRequestException(
                    HttpRequestError.VersionNegotiationError,
                    $"A backchannel needs HTTP/2, and this request is {says}, which goes over QUIC, past it. Leave GrpcChannelOptions.HttpVersion alone; without gRPC, set Version = HttpVersion.Version20.");
            case < 2 when request.VersionPolicy != HttpVersionPolicy.RequestVersionOrHigher:
                throw new HttpRequestException(
                    HttpRequestError.VersionNegotiationError,
                    $"A backchannel needs HTTP/2, and this request is {says}. Set its Version = HttpVersion.Version20, or HttpClient.DefaultRequestVersion; gRPC does so by itself.");
        }

        // Not lower, as it would be without TLS, and not higher, as it would be where the server offers HTTP/3.
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }
}
