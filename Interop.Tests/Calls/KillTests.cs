using System.Net;
using Grpc.Core;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Calls;

/// <summary>A Go process killed with calls under way in both directions: they end as Unavailable, and nothing is left of it.</summary>
public sealed class KillTests(GoPeerBinary binary)
{
    private static CallOptions Options => new(cancellationToken: TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_Go_client_that_dies_ends_its_calls_and_ours_and_is_forgotten()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start(
            "grpc-client", "-connect", server.Address, "-scenario", "hang", "-callback", "hang", "-call-key", "key");
        await server.Log.StartOf("key-forward").Guarded();
        Assert.True(server.Peers.TryGetPeer(1, out var peer));
        var far = new FarEnd.FarEndClient(peer.Invoker);
        var ours = far.UnaryAsync(new Request { Hang = true, Key = "ours" }, Options).ResponseAsync;
        await far.AwaitStartAsync(new Key { Key_ = "ours" }, Options).ResponseAsync.Guarded();
        await far.AwaitStartAsync(new Key { Key_ = "key-backward" }, Options).ResponseAsync.Guarded();

        go.Kill();

        var failure = await Assert.ThrowsAsync<RpcException>(() => ours.Guarded());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.True((await server.Log.EndOf("key-forward").Guarded()).Cancelled);
        await HangGuard.LostAsync(peer.Completion);
        // The server stops only when the connection's middleware has returned.
        await server.EndAsync();
        Assert.False(server.Peers.TryGetPeer(1, out _));
        failure = await Assert.ThrowsAsync<RpcException>(() => far.UnaryAsync(new Request(), Options).ResponseAsync.Guarded());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task A_Go_server_that_dies_ends_its_calls_and_ours_and_its_successor_is_found()
    {
        await using var go = binary.Start("grpc-server");
        var address = await go.AddressAsync();
        await using var client = new CSharpClient(address);
        var ours = client.Server.UnaryAsync(new Request { Hang = true, Key = "ours" }, Options).ResponseAsync;
        await client.Server.AwaitStartAsync(new Key { Key_ = "ours" }, Options).ResponseAsync.Guarded();
        var callBack = client.Server.CallBackAsync(new CallBackRequest { Scenario = "hang", Key = "theirs" }, Options).ResponseAsync;
        await client.Log.StartOf("theirs").Guarded();

        go.Kill();

        foreach (var call in new Task[] { ours, callBack })
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
            Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        }

        Assert.True((await client.Log.EndOf("theirs").Guarded()).Cancelled);
        await go.DisposeAsync();
        await ExpectServiceAsync(client, address);
        await client.EndAsync();
    }

    /// <summary>Another server at the same address is called, and calls back, as the first was.</summary>
    private async Task ExpectServiceAsync(CSharpClient client, IPEndPoint address)
    {
        await using var go = binary.Start("grpc-server", "-listen", $"{address}");
        await go.AddressAsync();
        await client.Server.CallBackAsync(new CallBackRequest { Scenario = "mixed" }, Options).ResponseAsync.Guarded();
    }
}
