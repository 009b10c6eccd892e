using Backchannel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/operations.md shows.</summary>
internal static class OperationsSnippets
{
    public static void NoticeSooner(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel(options =>
        {
            options.Yamux.KeepAliveInterval = TimeSpan.FromSeconds(5);
            options.Yamux.KeepAliveTimeout = TimeSpan.FromSeconds(5);
        });
    }

    public static void Stop(WebApplicationBuilder builder)
    {
        builder.Services.AddBackchannel(options => options.DrainTimeout = TimeSpan.FromSeconds(20));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(40));
    }

    public static void Drain(WebApplication app)
    {
        app.MapPost("/drain", async (IBackchannelPeers peers, CancellationToken cancellationToken) => await peers.DrainAsync(cancellationToken)).RequireAuthorization("operators");
    }
}
