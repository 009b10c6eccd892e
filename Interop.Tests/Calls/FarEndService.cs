using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Sidechannel;

namespace Interop.Tests.Calls;

/// <summary>Our FarEnd, served by the server and by the clients; <paramref name="ends"/> knows the way back to the caller.</summary>
internal sealed class FarEndService(CallLog log, ICallerDirectory ends, ITransfers transfers) : FarEnd.FarEndBase
{
    public override async Task<Response> Unary(Request request, ServerCallContext context)
    {
        using var call = log.Begin(request.Key, context);
        await EchoMetadataAsync(context);
        await EndAsync(request, context);
        return new Response { Payload = request.Payload };
    }

    public override async Task ServerStream(Request request, IServerStreamWriter<Response> responseStream, ServerCallContext context)
    {
        using var call = log.Begin(request.Key, context);
        await EchoMetadataAsync(context);
        for (var i = 0; i < request.Count; i++)
        {
            await responseStream.WriteAsync(new Response { Payload = request.Payload, Index = i }, context.CancellationToken);
        }

        await EndAsync(request, context);
    }

    public override async Task<Response> ClientStream(IAsyncStreamReader<Request> requestStream, ServerCallContext context)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var count = 0;
        await foreach (var request in requestStream.ReadAllAsync())
        {
            using var call = log.Begin(request.Key, context);
            await EndAsync(request, context);
            hash.AppendData(request.Payload.Span);
            count++;
        }

        return new Response { Index = count, Digest = ByteString.CopyFrom(hash.GetHashAndReset()) };
    }

    public override async Task Bidi(
        IAsyncStreamReader<Request> requestStream, IServerStreamWriter<Response> responseStream, ServerCallContext context)
    {
        var index = 0;
        await foreach (var request in requestStream.ReadAllAsync())
        {
            using var call = log.Begin(request.Key, context);
            await responseStream.WriteAsync(new Response { Payload = request.Payload, Index = index++ }, context.CancellationToken);
            await EndAsync(request, context);
        }
    }

    public override async Task<CallBackReply> CallBack(CallBackRequest request, ServerCallContext context)
    {
        var options = new CallOptions(deadline: context.Deadline, cancellationToken: context.CancellationToken);
        return new CallBackReply { Calls = await Scenarios.RunAsync(ends.CallerOf(context), request, options) };
    }

    public override async Task<Empty> AwaitStart(Key request, ServerCallContext context)
    {
        await log.StartOf(request.Key_).WaitAsync(context.CancellationToken);
        return new Empty();
    }

    public override Task<End> AwaitEnd(Key request, ServerCallContext context)
        => log.EndOf(request.Key_).WaitAsync(context.CancellationToken);

    public override Task<Identity> Identify(Empty request, ServerCallContext context)
        => Task.FromResult(ends.Identify(context));

    public override async Task<TransferReply> Transfer(TransferRequest request, ServerCallContext context)
    {
        using var call = log.Begin(request.Key, context);
        return await transfers.RunAsync(request, context);
    }

    /// <summary>Ends a call as its request asks.</summary>
    private static async Task EndAsync(Request request, ServerCallContext context)
    {
        if (request.Hang)
        {
            var cancelled = new TaskCompletionSource();
            await using var registration = context.CancellationToken.Register(cancelled.SetResult);
            await cancelled.Task;
            throw new RpcException(new Status(StatusCode.Cancelled, "cancelled as it should be"));
        }

        if (request.StatusCode != 0)
        {
            throw new RpcException(new Status((StatusCode)request.StatusCode, request.StatusMessage));
        }
    }

    private static Task EchoMetadataAsync(ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (var entry in context.RequestHeaders)
        {
            if (entry.Key.StartsWith("x-header-", StringComparison.Ordinal))
            {
                headers.Add(entry);
            }
            else if (entry.Key.StartsWith("x-trailer-", StringComparison.Ordinal))
            {
                context.ResponseTrailers.Add(entry);
            }
        }

        return headers.Count > 0 ? context.WriteResponseHeadersAsync(headers) : Task.CompletedTask;
    }
}
