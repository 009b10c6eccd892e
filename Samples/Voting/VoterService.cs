using Gitaly;
using Grpc.Core;

namespace Voting;

/// <summary>What a client serves on its backchannel: always the same answer.</summary>
internal sealed class VoterService(Answer answer) : RefTransaction.RefTransactionBase
{
    private int _served;

    /// <summary>How many calls the server has made to this client.</summary>
    public int Served => Volatile.Read(ref _served);

    public override Task<VoteTransactionResponse> VoteTransaction(VoteTransactionRequest request, ServerCallContext context)
    {
        Interlocked.Increment(ref _served);
        return Task.FromResult(answer.ToResponse());
    }
}
