using Backchannel;
using Gitaly;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Voting.Demo;
using Voting.Tls;

namespace Voting;

/// <summary>A client that sends votes and, unless it is plain, answers the server's calls on the same connection.</summary>
internal sealed class VoteClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _name;
    private readonly VoterService _voter;
    private readonly BackchannelHost _host;
    private readonly GrpcChannel _channel;
    private readonly RefTransaction.RefTransactionClient _server;

    public VoteClient(string name, Address server, Answer answer, bool plain = false, ClientTls? tls = null, Transcript? transcript = null)
    {
        _name = name;
        _voter = new VoterService(answer);
        _host = BackchannelHost.Create(
            services => services.AddSingleton(_voter).AddGrpc(grpc => transcript?.Record(grpc)),
            endpoints => endpoints.MapGrpcService<VoterService>());

        var handler = ClientTransport.CreateHandler(server, tls);
        _channel = GrpcChannel.ForAddress(
            ClientTransport.GetUri(server, tls), new GrpcChannelOptions { HttpHandler = plain ? handler : handler.UseBackchannel(_host), DisposeHttpClient = true });
        var invoker = _channel.CreateCallInvoker();
        _server = new RefTransaction.RefTransactionClient(transcript is null ? invoker : invoker.Intercept(transcript));
    }

    /// <summary>How many calls of the server's this client has answered.</summary>
    public int Served => _voter.Served;

    /// <summary>Sends a vote; what comes back is the server's answer, which it gets from this client's own service.</summary>
    /// <exception cref="RpcException">The vote failed.</exception>
    public async Task<VoteTransactionResponse> VoteAsync(int transaction)
    {
        var vote = new VoteTransactionRequest
        {
            TransactionId = (ulong)transaction,
            Node = _name,
            ReferenceUpdatesHash = ByteString.CopyFromUtf8($"references of transaction {transaction}"),
            Phase = VoteTransactionRequest.Types.Phase.PreparedPhase,
        };
        return await _server.VoteTransactionAsync(vote, deadline: DateTime.UtcNow + Patience);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
    }
}
