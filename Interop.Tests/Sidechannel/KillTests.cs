using Backchannel.Tests.Kit;
using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;
using Sidechannel;
using Yamux;

namespace Interop.Tests.Sidechannel;

/// <summary>A Go process killed in the middle of a transfer: our end fails and says so, and nothing is left.</summary>
public sealed class KillTests(GoPeerBinary binary)
{
    [Theory]
    [MemberData(nameof(CancellationTests.Modes), MemberType = typeof(CancellationTests))]
    public Task A_Go_server_dies(string mode) => Rounds.RunAsync(async () =>
    {
        await using var go = binary.Start("grpc-server");
        await using var client = new CSharpClient(await go.AddressAsync());
        var transfer = new ObservedTransfer(client, CancellationTests.Endless(mode));
        await transfer.Moved.Reached.Guarded();

        go.Kill();

        await ExpectUnavailableAsync(transfer.Call);
        await ExpectAsync(YamuxErrorCode.ConnectionLost, transfer);
        await HangGuard.UntilAsync(() => client.ConnectionCount == 0);
        await client.EndAsync();
    });

    [Theory]
    [MemberData(nameof(CancellationTests.Modes), MemberType = typeof(CancellationTests))]
    public Task A_Go_client_dies(string mode) => Rounds.RunAsync(async () =>
    {
        var handler = new TransferHandler(ignoresCancellation: true);
        await using var server = await CSharpServer.StartAsync(transfers: handler);
        await using var go = CancellationTests.StartEndless(binary, server, mode);
        await go.RestOfLineAsync("moved");
        var peer = server.Peers.GetPeer(1);

        go.Kill();

        await HangGuard.LostAsync(peer.Completion);
        await server.EndAsync();
        // The session fails all streams; the call, which loses its own, aborts the sidechannel at this end: whichever comes first.
        var failure = Assert.IsType<YamuxException>(Assert.Single(handler.Failures));
        Assert.True(failure.ErrorCode is YamuxErrorCode.ConnectionLost or YamuxErrorCode.StreamAborted, $"{failure}");
        Assert.Equal((0, 0), (server.Peers.Count, peer.Session.StreamCount));
    });

    [Theory]
    [MemberData(nameof(CancellationTests.Modes), MemberType = typeof(CancellationTests))]
    public Task A_Go_server_dies_behind_our_proxy(string mode) => Rounds.RunAsync(async () =>
    {
        await using var go = binary.Start("grpc-server");
        await using var onwards = new CSharpClient(await go.AddressAsync());
        await using var proxy = await CSharpServer.StartAsync(transfers: new TransferProxy(onwards));
        await using var client = new CSharpClient(proxy.Address);
        var transfer = new ObservedTransfer(client, CancellationTests.Endless(mode));
        await transfer.Moved.Reached.Guarded();
        var peer = proxy.Peers.GetPeer(1);

        go.Kill();

        await ExpectUnavailableAsync(transfer.Call);
        await ExpectAsync(YamuxErrorCode.StreamReset, transfer);

        // The caller's connection has nothing to do with it.
        await HangGuard.UntilAsync(() => peer.Session.StreamCount == 1 && onwards.ConnectionCount == 0);
        Assert.Equal(1, client.ConnectionCount);
        await client.EndAsync();
        await proxy.EndAsync();
        await onwards.EndAsync();
        Assert.Equal((0, 0), (proxy.Peers.Count, peer.Session.StreamCount));
    });

    [Theory]
    [MemberData(nameof(CancellationTests.Modes), MemberType = typeof(CancellationTests))]
    public Task A_Go_client_dies_before_our_proxy(string mode) => Rounds.RunAsync(async () =>
    {
        var handler = new TransferHandler(ignoresCancellation: true);
        await using var server = await CSharpServer.StartAsync(transfers: handler);
        await using var onwards = new CSharpClient(server.Address);
        await using var proxy = await CSharpServer.StartAsync(transfers: new TransferProxy(onwards));
        await using var go = CancellationTests.StartEndless(binary, proxy, mode);
        await go.RestOfLineAsync("moved");
        var peer = server.Peers.GetPeer(1);

        go.Kill();

        await HangGuard.UntilAsync(() => handler.Failures.Count == 1 && peer.Session.StreamCount == 1);
        // The proxy resets the stream, and cancels the call, which aborts it at this end: whichever comes first.
        var failure = Assert.IsType<YamuxException>(Assert.Single(handler.Failures));
        Assert.True(failure.ErrorCode is YamuxErrorCode.StreamReset or YamuxErrorCode.StreamAborted, $"{failure}");
        await proxy.EndAsync();
        Assert.Equal(0, proxy.Peers.Count);
        await onwards.EndAsync();
        await server.EndAsync();
    });

    private static async Task ExpectUnavailableAsync(Task call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static async Task ExpectAsync(YamuxErrorCode code, ObservedTransfer transfer)
    {
        // A write may learn first that the call has failed.
        var failure = await transfer.Failure.Guarded();
        Assert.True(
            failure is YamuxException lost && lost.ErrorCode == code || failure is SidechannelException { ErrorCode: SidechannelErrorCode.CallEnded }, $"{failure}");
    }
}
