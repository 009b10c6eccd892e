using System.Net;
using Backchannel;
using ListenMux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Grpc;

/// <summary>The server, with the settings that a user has who changes none.</summary>
internal static class GrpcServer
{
    public static WebApplication Create(GrpcLayer layer, IPEndPoint endPoint)
    {
        // Empty: no environment variable and no settings file has a part in what is measured.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            switch (layer)
            {
                case GrpcLayer.Mux:
                    listen.UseListenMux(mux => mux.Map("sidechannel"u8, (_, _) => throw new NotSupportedException("No connection begins so here.")));
                    break;
                case GrpcLayer.Yamux or GrpcLayer.Backchannel:
                    listen.UseBackchannel();
                    break;
            }
        }));
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel(options => options.TrustNamesOfClients = true);
        var app = builder.Build();
        app.MapGrpcService<LoadService>();
        app.MapBackchannel();
        return app;
    }

    /// <summary>Where a server that has started listens.</summary>
    public static IPEndPoint GetEndPoint(WebApplication app) => IPEndPoint.Parse(new Uri(app.Urls.First()).Authority);
}
