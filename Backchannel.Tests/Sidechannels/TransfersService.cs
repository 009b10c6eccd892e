using Backchannel.Tests.Grpc;
using Grpc.Core;

namespace Backchannel.Tests.Sidechannels;

/// <summary>Serves a call as the test says.</summary>
internal sealed class TransfersService(TransferHandler handler) : Transfers.TransfersBase
{
    public override Task<Done> Run(Job request, ServerCallContext context) => handler(request, context);
}
