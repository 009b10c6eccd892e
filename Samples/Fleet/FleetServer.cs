using System.Net;
using Backchannel;
using Fleet.Grpc;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Fleet;

/// <summary>The server: devices on one port, with mutual TLS and names from their certificates; people on another, over HTTP.</summary>
internal static class FleetServer
{
    /// <param name="devices">Where devices connect; port 0 takes a free one.</param>
    /// <param name="people">Where people do.</param>
    /// <param name="certificates">Whose devices are taken.</param>
    /// <param name="logging">What is logged.</param>
    public static WebApplication Create(IPEndPoint devices, IPEndPoint people, FleetCertificates certificates, Action<ILoggingBuilder> logging)
    {
        var builder = WebApplication.CreateSlimBuilder();
        logging(builder.Logging.ClearProviders());
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(devices, listen => listen.UseHttps(https => Configure(https, certificates)).UseBackchannel());
            kestrel.Listen(people, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc();
        builder.Services.AddBackchannel();
        var app = builder.Build();

        app.MapBackchannel();
        app.MapGrpcService<InventoryService>();
        app.MapGet("/devices", (IBackchannelPeers peers, CancellationToken cancellation)
            => peers.ListAsync(cancellation).Select(device => new { device.Name, device.Replica, Since = device.Peer?.ConnectedAt, RoundTrip = device.Peer?.RoundTrip?.TotalMilliseconds }));
        app.MapPost("/devices/{name}/restart", async (string name, IBackchannelPeers peers, CancellationToken cancellation) =>
        {
            try
            {
                var reply = await peers.GetClient<Device.DeviceClient>(name).RestartAsync(new RestartRequest(), deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: cancellation);
                return Results.Ok(new { reply.Restarts });
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
            {
                return Results.Problem(failure.Status.Detail, statusCode: StatusCodes.Status503ServiceUnavailable);
            }
        });
        return app;
    }

    private static void Configure(HttpsConnectionAdapterOptions https, FleetCertificates certificates)
    {
        https.ServerCertificate = certificates.Server;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = certificates.Trust();
    }
}
