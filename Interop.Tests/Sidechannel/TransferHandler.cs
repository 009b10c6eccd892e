using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Interop.Tests.Proto;
using Sidechannel;

namespace Interop.Tests.Sidechannel;

/// <summary>
/// Does in the call's handler what a transfer asks. With <paramref name="ignoresCancellation"/> nothing but the sidechannel tells
/// it that its caller has gone.
/// </summary>
internal sealed class TransferHandler(bool ignoresCancellation = false) : ITransfers
{
    /// <summary>How the transfers ended that did not end well.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = new();

    public async Task<TransferReply> RunAsync(TransferRequest request, ServerCallContext context)
    {
        var reply = new TransferReply();
        if (request.Mode != "ignore")
        {
            await OpenAndMoveAsync(request, reply, context);
        }

        return request.StatusCode == 0 ? reply : throw new RpcException(new Status((StatusCode)request.StatusCode, request.StatusMessage));
    }

    private async Task OpenAndMoveAsync(TransferRequest request, TransferReply reply, ServerCallContext context)
    {
        try
        {
            await using var channel = await context.OpenSidechannelAsync();
            try
            {
                await MoveAsync(channel, request, reply, ignoresCancellation ? CancellationToken.None : context.CancellationToken);
            }
            catch (Exception failure)
            {
                channel.Abort(failure); // Or the caller takes what it got for the whole.
                throw;
            }
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            Failures.Enqueue(failure);

            // As what it is, gRPC would log it as an error.
            throw new RpcException(new Status(StatusCode.Aborted, failure.Message, failure));
        }
    }

    private static Task MoveAsync(SidechannelStream channel, TransferRequest request, TransferReply reply, CancellationToken cancellationToken)
    {
        Task Send() => Pattern.SendAsync(channel, request.Seed, request.Length, cancellationToken: cancellationToken);
        Task Receive(Stream echo) => ReceiveAsync(channel, echo, reply, cancellationToken);
        return request.Mode switch
        {
            "receive" => Receive(Stream.Null),
            "send" => Send(),
            "echo" => Receive(channel),
            "both" => Duplex.RunAsync(channel, Send(), Receive(Stream.Null)),
            _ => throw new RpcException(new Status(StatusCode.Unimplemented, $"no transfer {request.Mode}")),
        };
    }

    private static async Task ReceiveAsync(SidechannelStream channel, Stream echo, TransferReply reply, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[32 * 1024];
        while (await channel.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            reply.Received += count;
            await echo.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        }

        reply.Digest = ByteString.CopyFrom(hash.GetHashAndReset());
    }
}
