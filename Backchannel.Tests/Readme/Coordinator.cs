using Backchannel;
using Elections;
using Grpc.Core;

class Coordinator : Coordination.CoordinationBase
{
    public override async Task<Outcome> Decide(Proposal proposal, ServerCallContext context)
    {
        var peer = context.GetBackchannelPeer();                          // who called; plain clients get FailedPrecondition
        var voter = new Voting.VotingClient(peer.Invoker);                // a stub of the *client's* service
        return await voter.VoteAsync(proposal, cancellationToken: context.CancellationToken);
    }
}
