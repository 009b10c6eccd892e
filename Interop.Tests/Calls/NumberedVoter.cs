using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Calls;

/// <summary>Answers with its number in the message of a status, so that no two voters can be mistaken.</summary>
internal sealed class NumberedVoter(VoterNumber number) : RefTransaction.RefTransactionBase
{
    public override Task<VoteTransactionResponse> VoteTransaction(VoteTransactionRequest request, ServerCallContext context)
        => throw new RpcException(new Status(StatusCode.Internal, $"voter {number.Value} got {request.TransactionId} from {request.Node}"));
}
