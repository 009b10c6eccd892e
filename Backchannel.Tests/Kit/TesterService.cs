using Backchannel.Tests.Grpc;
using Grpc.Core;

namespace Backchannel.Tests.Kit;

/// <summary>What both ends of a test serve.</summary>
internal sealed class TesterService(TesterState state) : Tester.TesterBase
{
    public override async Task<Reply> Unary(Request request, ServerCallContext context)
    {
        state.CallerCertificates.Enqueue(context.GetHttpContext().Connection.ClientCertificate);
        if (context.TryGetBackchannelPeer(out var caller))
        {
            state.Peers.Enqueue(caller);
        }

        if (request.CallBack is not null)
        {
            return await CallBack(context).UnaryAsync(request.CallBack, cancellationToken: context.CancellationToken);
        }

        if (request.Act)
        {
            await state.Act(context);
        }

        if (request.Hang)
        {
            await state.HangAsync(context.CancellationToken);
        }

        if (request.Stubborn)
        {
            await state.HangAsync(CancellationToken.None);
        }

        if (request.StatusCode != 0)
        {
            throw new RpcException(new Status((StatusCode)request.StatusCode, request.StatusDetail));
        }

        return Reply(request, context);
    }

    public override async Task ServerStream(Request request, IServerStreamWriter<Reply> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < request.Count; i++)
        {
            await responseStream.WriteAsync(Reply(request, context), context.CancellationToken);
        }

        if (request.Hang)
        {
            await state.HangAsync(context.CancellationToken);
        }
    }

    public override async Task<Reply> ClientStream(IAsyncStreamReader<Request> requestStream, ServerCallContext context)
    {
        Request? last = null;
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            last = request;
        }

        return Reply(last ?? new Request(), context);
    }

    public override async Task Duplex(IAsyncStreamReader<Request> requestStream, IServerStreamWriter<Reply> responseStream, ServerCallContext context)
    {
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(Reply(request, context), context.CancellationToken);
        }
    }

    private Tester.TesterClient CallBack(ServerCallContext context)
        => new(state.CallBack is { } channel ? channel() : context.GetBackchannelPeer().Invoker);

    private Reply Reply(Request request, ServerCallContext context) => new()
    {
        Payload = request.Payload,
        ServedBy = state.Name,
        PeerId = context.TryGetBackchannelPeer(out var peer) ? peer.Id : 0,
    };
}
