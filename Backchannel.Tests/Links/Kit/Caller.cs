using Backchannel.Tests.Grpc;
using Backchannel.Tests.Sidechannels;
using Google.Protobuf;
using Grpc.Core;
using Sidechannel;
using Yamux;

namespace Backchannel.Tests.Links.Kit;

/// <summary>Calls the other end of a link.</summary>
internal sealed class Caller(SidechannelRegistry sidechannels, Func<Tester.TesterClient> other, Func<YamuxSession?> session)
{
    private const int MessageSize = 10_000;

    /// <summary>A call that the other end does not answer.</summary>
    public Task<Reply> HangAsync() => other().UnaryAsync(new Request { Hang = true }).ResponseAsync;

    /// <summary>A call with a small answer.</summary>
    public Task<Reply> EchoAsync() => other().UnaryAsync(new Request()).ResponseAsync;

    /// <summary>Sends a client stream of so many bytes, each message with its number; the answer to it is the last.</summary>
    public async Task<Reply> SendStreamAsync(int size)
    {
        using var call = other().ClientStream();
        for (var i = 0; i < size / MessageSize; i++)
        {
            await call.RequestStream.WriteAsync(new Request { Count = i, Payload = ByteString.CopyFrom(Content.Bytes(MessageSize)) });
        }

        await call.RequestStream.CompleteAsync();
        return await call;
    }

    /// <summary>Receives a server stream of so many bytes. Returns how many came.</summary>
    public async Task<int> ReceiveStreamAsync(int size)
    {
        var request = new Request { Count = size / MessageSize, Payload = ByteString.CopyFrom(Content.Bytes(MessageSize)) };
        using var call = other().ServerStream(request);
        var count = 0;
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
        {
            count += reply.Payload.Length;
        }

        return count;
    }

    /// <summary>Calls what the other end does when it acts, with a sidechannel.</summary>
    public Task<Reply> CallAsync(SidechannelCallback callback)
        => sidechannels.CallAsync(headers => other().UnaryAsync(new Request { Act = true }, headers), callback, session());
}
