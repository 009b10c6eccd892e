using System.IO.Pipelines;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Authority;

/// <summary>Kestrel on connections in memory, with the filter or without it: to see that its answers are the same.</summary>
internal sealed class BareKestrel : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly StreamListener _listener = new();

    private BareKestrel(bool isFiltered, Action<KestrelServerLimits>? limits)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            limits?.Invoke(kestrel.Limits);
            kestrel.Listen(BackchannelEndPoint.Instance, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (isFiltered)
                {
                    listen.UseAnyAuthority(kestrel.Limits);
                }
            });
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(_listener);
        _app = builder.Build();
        _app.Run(context => context.Response.WriteAsync(context.Request.Host.Value ?? "none"));
    }

    public static async Task<BareKestrel> StartAsync(bool isFiltered, Action<KestrelServerLimits>? limits = null)
    {
        var kestrel = new BareKestrel(isFiltered, limits);
        await kestrel._app.StartAsync().Guarded();
        return kestrel;
    }

    public RawHttp2 Connect(out PipeWriter output)
    {
        var (near, far) = DuplexPipe.CreatePair();
        output = near.Output;
        _listener.TryAdd(new BareConnection(far));
        return new RawHttp2(near);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().Guarded();
        await _app.DisposeAsync().Guarded();
    }
}
