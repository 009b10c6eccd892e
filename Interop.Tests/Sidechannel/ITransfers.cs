using Grpc.Core;
using Interop.Tests.Proto;

namespace Interop.Tests.Sidechannel;

/// <summary>What a server does with a transfer: moves the bytes itself, or hands the call on.</summary>
internal interface ITransfers
{
    Task<TransferReply> RunAsync(TransferRequest request, ServerCallContext context);
}
