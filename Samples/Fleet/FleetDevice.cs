using Backchannel;
using Fleet.Grpc;

namespace Fleet;

/// <summary>A device: a worker that is an agent of the server.</summary>
internal static class FleetDevice
{
    /// <param name="server">The server's address.</param>
    /// <param name="name">Which device it is: the name in the certificate that it shows.</param>
    /// <param name="certificates">Who makes certificates, and whose servers are taken.</param>
    /// <param name="logging">What is logged.</param>
    public static IHost Create(string server, string name, FleetCertificates certificates, Action<ILoggingBuilder> logging)
    {
        var builder = Host.CreateApplicationBuilder();
        logging(builder.Logging.ClearProviders());
        builder.Services.AddSingleton<DeviceState>();
        builder.Services.AddGrpc();
        builder.Services
            .AddBackchannelAgent(server, agent => agent.ConfigureHandler = handler =>
            {
                handler.SslOptions.CertificateChainPolicy = certificates.Trust();
                handler.SslOptions.ClientCertificates = [certificates.CreateDevice(name)];
            })
            .MapGrpcService<DeviceService>()
            .AddGrpcClient<Inventory.InventoryClient>();
        return builder.Build();
    }
}
