using Backchannel;
using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>Asks each voter's own service, and answers with its answer.</summary>
internal sealed class ForwardingVoter : RefTransaction.RefTransactionBase
{
    public override async Task<VoteTransactionResponse> VoteTransaction(VoteTransactionRequest request, ServerCallContext context)
        => await new RefTransaction.RefTransactionClient(context.GetBackchannelPeer().Invoker)
            .VoteTransactionAsync(request, cancellationToken: context.CancellationToken);
}
