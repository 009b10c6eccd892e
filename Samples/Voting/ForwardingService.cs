using Backchannel;
using Gitaly;
using Grpc.Core;

namespace Voting;

/// <summary>What the server serves: it asks the client that a vote came from for the answer.</summary>
internal sealed class ForwardingService : RefTransaction.RefTransactionBase
{
    /// <summary>
    /// Returns what the client's own service returns. Nothing is caught here: a failure of the client's passes through with its
    /// code, text and trailers, and a plain client gets FailedPrecondition from <c>GetBackchannelPeer</c>.
    /// </summary>
    public override async Task<VoteTransactionResponse> VoteTransaction(VoteTransactionRequest request, ServerCallContext context)
    {
        var voter = new RefTransaction.RefTransactionClient(context.GetBackchannelPeer().Invoker);
        return await voter.VoteTransactionAsync(request, deadline: context.Deadline, cancellationToken: context.CancellationToken);
    }
}
