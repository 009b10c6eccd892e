using System.Globalization;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;
using Sidechannel;
using Yamux;

namespace Interop.Tests.Sidechannel;

/// <summary>A call cancelled in the middle of its transfer: both ends fail, and the connection goes on without a trace of it.</summary>
public sealed class CancellationTests(GoPeerBinary binary)
{
    private const long NoEnd = 1L << 40;

    /// <summary>In one direction, in the other, and in both.</summary>
    public static TheoryData<string> Modes { get; } = ["receive", "send", "echo"];

    [Theory]
    [MemberData(nameof(Modes))]
    public Task We_cancel_a_call_to_a_Go_server(string mode) => Rounds.RunAsync(async () =>
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        using var source = new CancellationTokenSource();
        var transfer = new ObservedTransfer(client, Endless(mode), source.Token);
        await transfer.Moved.Reached.Guarded();

        await source.CancelAsync();

        // Whichever knows of it first, the call or the callback.
        var failure = await HangGuard.FailureOfAsync(transfer.Call);
        Assert.True(failure is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled }, $"{failure}");
        ExpectTyped(await transfer.Failure.Guarded());
        await go.RestOfLineAsync("transfer ended: ");
        await new TransferCaller(client).RunAsync("echo", 1024 * 1024);
        Assert.Equal(1, client.ConnectionCount);
        await client.EndAsync();
        go.CloseInput();
        await go.SucceedAsync();
        Assert.Empty(go.Complaints);
    });

    [Theory]
    [MemberData(nameof(Modes))]
    public Task A_Go_client_cancels_a_call_to_us(string mode) => Rounds.RunAsync(async () =>
    {
        var handler = new TransferHandler();
        await using var server = await CSharpServer.StartAsync(transfers: handler);
        await using var go = StartEndless(binary, server, mode, "-cancel", "-stay");
        await go.RestOfLineAsync("ok cancelled");
        var peer = server.Peers.GetPeer(1);

        await HangGuard.UntilAsync(() => handler.Failures.Count == 1 && peer.Session.StreamCount == 1);

        ExpectTyped(Assert.Single(handler.Failures));
        go.CloseInput();
        await go.SucceedAsync();
        await server.EndAsync();
        Assert.Equal((0, 0), (server.Peers.Count, peer.Session.StreamCount));
        Assert.Empty(go.Complaints);
    });

    /// <summary>A transfer that only a failure ends.</summary>
    internal static TransferRequest Endless(string mode) => new() { Mode = mode, Length = NoEnd, Seed = 1 };

    /// <summary>The same, of a Go client, which says when it is in the middle.</summary>
    internal static GoPeer StartEndless(GoPeerBinary binary, CSharpServer server, string mode, params string[] arguments) => binary.Start(
    [
        "sidechannel-client", "-connect", server.Address, "-modes", mode, "-announce", "1048576",
        "-sizes", NoEnd.ToString(CultureInfo.InvariantCulture), .. arguments,
    ]);

    /// <summary>The call's token, the stream that the call aborts, or the sidechannel that knows why: whichever comes first.</summary>
    private static void ExpectTyped(Exception? failure) => Assert.True(
        failure is OperationCanceledException
            or YamuxException { ErrorCode: YamuxErrorCode.StreamAborted }
            or SidechannelException { ErrorCode: SidechannelErrorCode.CallEnded },
        $"{failure}");
}
