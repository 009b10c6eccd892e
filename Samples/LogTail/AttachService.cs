using System.Diagnostics;
using System.Security.Cryptography;
using Backchannel;
using Grpc.Core;
using LogTail.Protocol;
using Sidechannel;

namespace LogTail;

/// <summary>Asks an agent that attaches for the file, and calls it all the while.</summary>
internal sealed class AttachService(SidechannelRegistry sidechannels, WantedFile wanted) : Protocol.Server.ServerBase
{
    private const int PieceSize = 64 * 1024;

    public override async Task<Farewell> Attach(Hello request, ServerCallContext context)
    {
        try
        {
            return await FetchAsync(request.Name, context);
        }
        catch (Exception failure) when (failure is RpcException or IOException or OperationCanceledException)
        {
            var reason = context.CancellationToken.IsCancellationRequested ? "the agent has gone"
                : failure is RpcException call ? $"{call.StatusCode}: {call.Status.Detail}"
                : failure.Message;
            ProgressLine.Fail(request.Name, reason);
            throw;
        }
    }

    private static async Task<(long Bytes, byte[] Hash)> ReceiveAsync(Stream channel, ProgressLine progress, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[PieceSize];
        var bytes = 0L;
        while (await channel.ReadAsync(piece, cancellationToken) is > 0 and var count)
        {
            hash.AppendData(piece, 0, count);
            bytes += count;
            progress.Received(bytes);
        }

        return (bytes, hash.GetHashAndReset());
    }

    private async Task<Farewell> FetchAsync(string name, ServerCallContext context)
    {
        var peer = context.GetBackchannelPeer();
        var agent = new Agent.AgentClient(peer.Invoker);
        var file = new FetchRequest { File = wanted.Name };
        var description = await agent.DescribeAsync(file, cancellationToken: context.CancellationToken);
        var progress = new ProgressLine(name, description.Bytes);
        var pings = new PingLoop(agent, progress);
        using var fetched = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var pinging = pings.RunAsync(fetched.Token);
        var received = (Bytes: 0L, Hash: Array.Empty<byte>());
        var start = Stopwatch.GetTimestamp();
        FetchReply reply;
        try
        {
            // The line that this sample is about.
            reply = await sidechannels.CallAsync(
                headers => agent.FetchAsync(file, headers, cancellationToken: context.CancellationToken),
                async (channel, cancellationToken) => received = await ReceiveAsync(channel, progress, cancellationToken),
                peer.Session, // No other agent can answer in its place.
                context.CancellationToken);
        }
        finally
        {
            await fetched.CancelAsync();
            await pinging;
        }

        var time = Stopwatch.GetElapsedTime(start);
        if (received.Bytes != reply.Bytes || !reply.Sha256.Span.SequenceEqual(received.Hash))
        {
            throw new RpcException(new Status(StatusCode.DataLoss, $"{received.Bytes} bytes came of {reply.Bytes}, or others than were sent"));
        }

        progress.End($"{received.Bytes:N0} bytes of {wanted.Name} in {time.TotalSeconds:0.00} s ({received.Bytes / time.TotalSeconds / (1 << 20):N0} MiB/s); {pings.Latencies}");
        return new Farewell { Bytes = received.Bytes };
    }
}
