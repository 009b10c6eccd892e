using Backchannel;
using Fleet.Grpc;
using Grpc.Core;

namespace Fleet;

/// <summary>The server's service, which its devices call.</summary>
internal sealed class InventoryService : Inventory.InventoryBase
{
    public override Task<ReportReply> Report(ReportRequest request, ServerCallContext context)
        => Task.FromResult(new ReportReply { KnownAs = context.GetBackchannelPeer().Name ?? "" });
}
