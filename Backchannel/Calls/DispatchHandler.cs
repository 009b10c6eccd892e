using System.Net;
using Grpc.Core;

namespace Backchannel;

/// <summary>
/// Stands before the HTTP of a channel whose calls are told apart by whether they may have been dispatched (<see cref="CallDispatch"/>): makes an exception of a refusal by the other end, which sends it
/// with 503, as no handler of gRPC's answers.
/// </summary>
internal class DispatchHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    // gRPC's own retries: what was tried before may have been dispatched.
    private const string PreviousAttempts = "grpc-previous-rpc-attempts";

    protected sealed override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable && First(response, CallDispatch.Key) == CallDispatch.None)
            {
                response.Dispose();
                throw new NotDispatchedException(new Status(StatusCode.Unavailable, Uri.UnescapeDataString(First(response, "grpc-message") ?? "")));
            }

            return response;
        }
        catch (Exception failure) when (request.Headers.Contains(PreviousAttempts) && CallDispatch.NeverLeft(failure))
        {
            throw new IOException(failure.Message);
        }
    }

    /// <summary>Sends the request.</summary>
    protected virtual Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken) => base.SendAsync(request, cancellationToken);

    private static string? First(HttpResponseMessage response, string header) => response.Headers.TryGetValues(header, out var values) ? values.FirstOrDefault() : null;
}
