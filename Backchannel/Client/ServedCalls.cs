using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>
/// Stands before all services of a host: refuses calls on a connection that is going away, as gRPC refuses, and knows whether one runs here now.
/// </summary>
internal sealed class ServedCalls
{
    private const string GrpcContentType = "application/grpc";

    private readonly AsyncLocal<Call?> _current = new();

    /// <summary>Whether the caller is a call, or a stream, that the host serves: it cannot wait for the host's end, which waits for it.</summary>
    public bool IsWithin => _current.Value is { HasEnded: false };

    public async Task OnRequestAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<HostedSession>()?.DrainReason is { } reason)
        {
            Refuse(context, StatusCode.Unavailable, reason, StatusCodes.Status503ServiceUnavailable); // By which the other end knows that no handler has answered.
            context.Response.Headers[CallDispatch.Key] = CallDispatch.None;

            // The connection was opened for this call, or its server has not heard yet that it goes away.
            context.Response.OnCompleted(() =>
            {
                context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(); // Kestrel logs what fails of it.
                return Task.CompletedTask;
            });
            return;
        }

        using (Enter())
        {
            await next(context).ConfigureAwait(false);
            if (IsUnmapped(context))
            {
                Refuse(context, StatusCode.Unimplemented, $"The client serves no {context.Request.Path}: it has not mapped it (endpoints.MapGrpcService<…>() in BackchannelHost.Create).");
            }
        }
    }

    /// <summary>Serves a stream that a server has opened, whatever it is: a sidechannel's callback runs there.</summary>
    public async Task OnStreamAsync(ConnectionContext stream, ConnectionDelegate next)
    {
        using (Enter())
        {
            await next(stream).ConfigureAwait(false);
        }
    }

    // Known to all that is awaited from here on, and to whoever captures the context of that.
    private Call Enter()
    {
        var call = new Call();
        _current.Value = call;
        return call;
    }

    // A call that gRPC has no method for, or nobody. What is mapped may answer the same, and says why itself.
    private static bool IsUnmapped(HttpContext context)
        => !context.Response.HasStarted
            && context.Request.ContentType?.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase) == true
            && context.GetEndpoint() switch
            {
                null => context.Response.StatusCode == StatusCodes.Status404NotFound,
                var endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is null && context.Response.Headers.GrpcStatus == Text(StatusCode.Unimplemented),
            };

    // A response of headers alone.
    private static void Refuse(HttpContext context, StatusCode status, string reason, int httpStatus = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = httpStatus;
        context.Response.ContentType = GrpcContentType;
        context.Response.Headers.GrpcStatus = Text(status);
        context.Response.Headers.GrpcMessage = Uri.EscapeDataString(reason);
    }

    private static string Text(StatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);

    private sealed class Call : IDisposable
    {
        private volatile bool _hasEnded;

        public bool HasEnded => _hasEnded;

        public void Dispose() => _hasEnded = true;
    }
}
