using System.Net;
using Backchannel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Voting.Tls;

namespace Voting;

/// <summary>The server: multiplexed clients, which it calls back, and plain ones, on one port.</summary>
internal static class VoteServer
{
    public static WebApplication Create(Address address, ServerTls? tls = null, Action<WebApplicationBuilder>? configure = null)
    {
        // Empty: the command line says it all, no environment variable and no settings file.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        configure?.Invoke(builder);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(address.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (tls is not null)
            {
                listen.UseHttps(tls.Configure);
            }

            listen.UseBackchannel();
        }));
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel();
        builder.Services.AddGrpcHealthChecks().AddCheck("voting", () => HealthCheckResult.Healthy());
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));

        var app = builder.Build();
        app.MapGrpcService<ForwardingService>();
        app.MapGrpcHealthChecksService();
        return app;
    }

    /// <summary>Where a server that has started listens, with the port that it was given.</summary>
    public static Address GetAddress(WebApplication app, Address configured)
        => configured.EndPoint is IPEndPoint ? Address.Parse(new Uri(app.Urls.First()).Authority) : configured;
}
