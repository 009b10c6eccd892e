using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>
/// Stands before all services of a host: refuses calls on a connection that is going away, as gRPC refuses, and knows whether one runs here now.
/// </summary>
internal sealed class ServedCalls
{
    private readonly AsyncLocal<Call?> _current = new();

    /// <summary>Whether the caller is a call that the host serves: it cannot wait for the host's end, which waits for it.</summary>
    public bool IsWithin => _current.Value is { HasEnded: false };

    public async Task OnRequestAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<HostedSession>()?.DrainReason is { } reason)
        {
            Refuse(context, reason);
            return;
        }

        var call = new Call();
        _current.Value = call;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            call.HasEnded = true;
        }
    }

    // A response of headers alone. The connection was opened for this call, or its server has not heard yet that it goes away.
    private static void Refuse(HttpContext context, string reason)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.Unavailable).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(reason);
        context.Response.OnCompleted(() =>
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return Task.CompletedTask;
        });
    }

    private sealed class Call
    {
        public volatile bool HasEnded;
    }
}
