using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;
using Sidechannel;

namespace Interop.Tests.Sidechannel;

/// <summary>Makes transfers from our client, and checks every byte. Go's sidechannel-client does the same.</summary>
internal sealed class TransferCaller(CSharpClient client)
{
    /// <summary>None, one, those around the longest packet, more than a window, and more than many.</summary>
    public static readonly long[] Sizes = [0, 1, 65_515, 65_516, 65_517, 1024 * 1024, 8 * 1024 * 1024];

    private long _lastSeed;

    /// <summary>The modes, and «fail», which is a «send» that ends with a status.</summary>
    public static TheoryData<string> Modes { get; } = ["receive", "send", "echo", "both", "ignore", "fail"];

    /// <summary>One transfer, which must end as its mode says.</summary>
    public Task RunAsync(string mode, long size)
    {
        var request = new TransferRequest { Mode = mode == "fail" ? "send" : mode, Length = size, Seed = Interlocked.Add(ref _lastSeed, 2) };
        return mode switch
        {
            "ignore" => ExpectIgnoranceAsync(request),
            "fail" => ExpectStatusAsync(request),
            _ => ExpectReplyAsync(request),
        };
    }

    /// <summary>Our part: what the handler sends is determined by the seed, what we send by the next.</summary>
    public static Task MoveAsync(SidechannelStream channel, TransferRequest request, Milestone? milestone, CancellationToken cancellationToken)
    {
        Task Expect(long seed, long length) => Pattern.ExpectAsync(channel, seed, length, milestone, cancellationToken);
        var (seed, length) = (request.Seed, request.Length);
        return Duplex.RunAsync(
            channel,
            SendAsync(channel, seed + 1, request.Mode == "send" ? 0 : length, milestone, cancellationToken),
            request.Mode switch
            {
                "receive" => Expect(seed, 0),
                "echo" => Expect(seed + 1, length),
                _ => Expect(seed, length),
            });
    }

    private static async Task SendAsync(SidechannelStream channel, long seed, long length, Milestone? milestone, CancellationToken cancellationToken)
    {
        await Pattern.SendAsync(channel, seed, length, milestone, cancellationToken);
        await channel.CompleteWritesAsync(cancellationToken);
    }

    private async Task ExpectReplyAsync(TransferRequest request)
    {
        var reply = await new ObservedTransfer(client, request).Call.Guarded();
        if (request.Mode != "send")
        {
            Assert.Equal(request.Length, reply.Received);
            Assert.Equal(Pattern.Digest(request.Seed + 1, request.Length), reply.Digest.ToByteArray());
        }
    }

    private async Task ExpectIgnoranceAsync(TransferRequest request)
    {
        var failure = await Assert.ThrowsAsync<SidechannelException>(() => new ObservedTransfer(client, request).Call.Guarded());
        Assert.Equal(SidechannelErrorCode.CallbackDidNotRun, failure.ErrorCode);
    }

    // Every byte before the status.
    private async Task ExpectStatusAsync(TransferRequest request)
    {
        (request.StatusCode, request.StatusMessage) = ((int)StatusCode.Aborted, $"after {request.Length} bytes");
        var transfer = new ObservedTransfer(client, request);
        var failure = await Assert.ThrowsAsync<RpcException>(() => transfer.Call.Guarded());
        Assert.Null(await transfer.Failure.Guarded());
        Assert.Equal((StatusCode.Aborted, request.StatusMessage), (failure.StatusCode, failure.Status.Detail));
    }
}
