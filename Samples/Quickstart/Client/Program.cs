using Backchannel;
using Elections;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

await using var host = BackchannelHost.Create(
    services => services.AddGrpc(),
    endpoints => endpoints.MapGrpcService<Voter>());                      // what the server may call
var handler = new SocketsHttpHandler().UseBackchannel(host);
using var channel = GrpcChannel.ForAddress(
    "https://localhost:5001", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
var outcome = await new Coordination.CoordinationClient(channel).DecideAsync(new Proposal { Text = "go on" });
Console.WriteLine($"accepted: {outcome.Accepted}");

class Voter : Voting.VotingBase
{
    public override Task<Outcome> Vote(Proposal proposal, ServerCallContext context)
        => Task.FromResult(new Outcome { Accepted = proposal.Text == "go on" });
}
