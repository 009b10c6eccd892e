using Backchannel;
using Fleet;
using Grpc.Core;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(5001, listen => listen.UseHttps().UseBackchannel()));
builder.Services.AddGrpc();
builder.Services.AddBackchannel(options => options.TrustNamesOfClients = builder.Environment.IsDevelopment());
var app = builder.Build();
app.MapBackchannel();                                                 // agents attach here; with authentication: .RequireAuthorization()
app.MapGrpcService<InventoryService>();                               // what agents may call
app.MapPost("/devices/{name}/restart", async (string name, IBackchannelPeers peers, CancellationToken cancellationToken) =>
{
    var device = peers.GetClient<Device.DeviceClient>(name);
    var reply = await device.RestartAsync(new RestartRequest(), deadline: DateTime.UtcNow.AddSeconds(10), cancellationToken: cancellationToken);
    return new { reply.Restarts };
});
app.Run();

class InventoryService : Inventory.InventoryBase
{
    public override Task<ReportReply> Report(ReportRequest request, ServerCallContext context)
        => Task.FromResult(new ReportReply { KnownAs = context.GetBackchannelPeer().Name });
}
