using System.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Backchannel;

/// <summary>Runs the agent's pipeline for each request, with a scope of the container and, if anybody listens, a span that goes on with the server's trace.</summary>
internal sealed class AgentApplication(RequestDelegate pipeline, IHttpContextFactory contexts) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => contexts.Create(contextFeatures);

    public async Task ProcessRequestAsync(HttpContext context)
    {
        using var activity = Begin(context.Request);
        try
        {
            await pipeline(context).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    public void DisposeContext(HttpContext context, Exception? exception) => contexts.Dispose(context);

    private static Activity? Begin(HttpRequest request)
    {
        if (!BackchannelActivities.Source.HasListeners())
        {
            return null;
        }

        DistributedContextPropagator.Current.ExtractTraceIdAndState(request.Headers, Get, out var parent, out var state);
        ActivityContext.TryParse(parent, state, isRemote: true, out var context);
        return BackchannelActivities.Source.StartActivity(request.Path.Value is { Length: > 1 } path ? path[1..] : "/", ActivityKind.Server, context);
    }

    private static void Get(object? carrier, string name, out string? value, out IEnumerable<string>? values)
    {
        values = null;
        value = ((IHeaderDictionary)carrier!)[name];
    }
}
