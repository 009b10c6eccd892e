using Backchannel;
using Fleet;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

var builder = Host.CreateApplicationBuilder(args);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);  // which serves the calls here, and would log each
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
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await server.WaitConnectedAsync(stoppingToken);
        try
        {
            var reply = await inventory.ReportAsync(new ReportRequest { Firmware = "1.0" }, cancellationToken: stoppingToken);
            Console.WriteLine($"The server knows this device as {reply.KnownAs}.");
        }
        catch (RpcException failure)                                  // what a BackgroundService throws ends the program
        {
            Console.WriteLine($"The server did not take the report: {failure.Status}");
        }
    }
}
