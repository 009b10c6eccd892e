using Gitaly;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Voting.Demo;

/// <summary>Prints what one of the parties does, as it does it: the calls that it makes, and the answers that it gives.</summary>
internal sealed class Transcript(string party) : Interceptor
{
    public const string Server = "server";

    /// <summary>Records what the party answers. Its calls are recorded by intercepting its invoker.</summary>
    public void Record(GrpcServiceOptions grpc) => grpc.Interceptors.Add<Transcript>(party);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        if (request is VoteTransactionRequest vote)
        {
            Print("calls", vote, $"{context.Method.Name}: transaction {vote.TransactionId}");
        }

        return continuation(request, context);
    }

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            var response = await continuation(request, context);
            if (response is VoteTransactionResponse { State: var state })
            {
                Print("answers", request, $"{Answer.Of(state)}");
            }

            return response;
        }
        catch (RpcException refusal)
        {
            Print("refuses", request, $"{refusal.StatusCode}: {refusal.Status.Detail}");
            throw;
        }
    }

    // A client deals with the server; the server with the node that votes.
    private void Print(string does, object request, string what)
        => Console.WriteLine($"  {party,-6}  {does,-7}  {(party == Server ? (request as VoteTransactionRequest)?.Node : Server),-6}  {what}");
}
