using Backchannel;
using Elections;
using Grpc.Core;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(5001, listen => listen.UseHttps().UseBackchannel()));
builder.Services.AddGrpc();
builder.Services.AddBackchannel();
var app = builder.Build();
app.MapGrpcService<Coordinator>();
app.Run();

class Coordinator : Coordination.CoordinationBase
{
    public override async Task<Outcome> Decide(Proposal proposal, ServerCallContext context)
    {
        var peer = context.GetBackchannelPeer();                          // who called; plain clients get FailedPrecondition
        var voter = new Voting.VotingClient(peer.Invoker);                // a stub of the *client's* service
        return await voter.VoteAsync(proposal, cancellationToken: context.CancellationToken);
    }
}
