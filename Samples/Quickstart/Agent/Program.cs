using Backchannel;
using Fleet;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddGrpc();
builder.Services.AddBackchannelAgent("https://localhost:5001")
    .MapGrpcService<DeviceService>()                                  // what the server may call, from the program's own container
    .AddGrpcClient<Inventory.InventoryClient>();                      // a stub of the server's service, over the same connection
builder.Services.AddHostedService<Reporter>();
await builder.Build().RunAsync();                                     // until Ctrl-C or SIGTERM

class DeviceService : Device.DeviceBase
{
    private static int _restarts;

    public override Task<RestartReply> Restart(RestartRequest request, ServerCallContext context)
        => Task.FromResult(new RestartReply { Restarts = Interlocked.Increment(ref _restarts) });
}

class Reporter(Inventory.InventoryClient inventory, IBackchannelConnection server) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        await server.WaitConnectedAsync(stopping);
        var reply = await inventory.ReportAsync(new ReportRequest { Firmware = "1.0" }, cancellationToken: stopping);
        Console.WriteLine($"The server knows this device as {reply.KnownAs}.");
    }
}
