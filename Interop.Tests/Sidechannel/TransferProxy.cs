using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Sidechannel;

namespace Interop.Tests.Sidechannel;

/// <summary>Praefect's part: hands transfers on to another server, with a sidechannel of its own.</summary>
internal sealed class TransferProxy(CSharpClient onwards) : ITransfers
{
    public Task<TransferReply> RunAsync(TransferRequest request, ServerCallContext context)
        => onwards.Sidechannels.ProxyAsync(
            context, headers => onwards.Server.TransferAsync(request, headers, context.Deadline, context.CancellationToken));
}
