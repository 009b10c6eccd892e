using System.Security.Cryptography.X509Certificates;
using Backchannel;
using Fleet;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/agents.md shows.</summary>
internal static class AgentSnippets
{
    public static void Add(HostApplicationBuilder builder)
    {
        builder.Services.AddGrpc();
        builder.Services.AddBackchannelAgent("https://server.example:5001")
            .MapGrpcService<DeviceService>()
            .AddGrpcClient<Inventory.InventoryClient>();
    }

    public static void Serve(HostApplicationBuilder builder)
    {
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<TimingInterceptor>());
        builder.Services.AddBackchannelAgent()
            .MapGrpcService<DeviceService>(service => service.RequireAuthorization("servers"))
            .MapEndpoints(endpoints => endpoints.MapGet("/version", () => "1.0"));
    }

    public static void CheckHealth(HostApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddBackchannelConnection();
    }

    public static void Configure(HostApplicationBuilder builder, X509Certificate2 certificate)
    {
        builder.Services.AddBackchannelAgent("https://server.example:5001", agent =>
        {
            agent.Labels["site"] = "north";
            agent.ConfigureHandler = handler => handler.SslOptions.ClientCertificates = [certificate];
            agent.ConfigureChannel = channel => channel.MaxReceiveMessageSize = 16 * 1024 * 1024;
            agent.ConfigureHost = host => host.Yamux.MaxStreamWindowSize = 4 * 1024 * 1024;
        });
    }

    public static async Task ReportAsync(Inventory.InventoryClient inventory, CancellationToken cancellationToken)
    {
        var reply = await inventory.ReportAsync(
            new ReportRequest { Firmware = "1.0" },
            new CallOptions(deadline: DateTime.UtcNow.AddMinutes(1), cancellationToken: cancellationToken).WithWaitForReady());
    }

    private sealed class TimingInterceptor : Interceptor;
}

class DeviceService(ILogger<DeviceService> logger) : Device.DeviceBase
{
    public override Task<RestartReply> Restart(RestartRequest request, ServerCallContext context)
    {
        var server = context.GetHttpContext().Features.Get<IBackchannelServerFeature>()!;
        logger.LogInformation("Restarted by {Address}, {Certificate}", server.Address, server.Certificate?.Subject);
        return Task.FromResult(new RestartReply { Restarts = 1 });
    }
}

class ConnectionLight(IBackchannelConnection connection, ILogger<ConnectionLight> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var state in connection.WatchAsync(stoppingToken))
        {
            logger.LogInformation("{State}, as {Name}: {Failure}", state, connection.Name, connection.LastFailure?.Message);
        }
    }
}
