using Grpc.Core;
using Interop.Tests.Calls;
using Interop.Tests.Proto;
using Interop.Tests.Support;

namespace Interop.Tests.Sidechannel;

/// <summary>A server in the middle, as Praefect is: ours between two Go programs, Go's between two of ours.</summary>
public sealed class ProxyTests(GoPeerBinary binary)
{
    [Theory]
    [MemberData(nameof(TransferCaller.Modes), MemberType = typeof(TransferCaller))]
    public Task A_Go_client_reaches_a_Go_server_through_us(string mode) => RunGoAsync(7, "-modes", mode);

    [Fact]
    public Task Twenty_calls_at_once_pass_through_us() => RunGoAsync(42, "-at-once", "20");

    [Fact]
    public async Task Our_client_reaches_our_server_through_a_Go_proxy()
    {
        await using var server = await CSharpServer.StartAsync();
        await using var go = binary.Start("grpc-server", "-onwards", server.Address);
        await using var client = new CSharpClient(await go.AddressAsync());
        var caller = new TransferCaller(client);

        // Our server gets the numbers of both, of which only the last is the proxy's. From now on they differ.
        await client.Sidechannels.Register((_, _) => Task.CompletedTask).DisposeAsync();

        foreach (var mode in new[] { "receive", "send", "echo", "both", "ignore", "fail" })
        {
            await Task.WhenAll(TransferCaller.Sizes.Select(size => caller.RunAsync(mode, size))).Guarded();
        }

        var peer = server.Peers.GetPeer(1);
        await HangGuard.UntilAsync(() => peer.Session.StreamCount == 1);
        await client.EndAsync();
        go.CloseInput();
        await go.SucceedAsync();
        await server.EndAsync();
        Assert.Empty(go.Complaints);
    }

    /// <summary>A status that overtakes them would have a caller leave that does not wait for its callback.</summary>
    [Theory]
    [InlineData(StatusCode.OK)]
    [InlineData(StatusCode.Aborted)]
    public async Task The_status_waits_for_bytes_that_the_caller_has_not_taken(StatusCode status)
    {
        // More than one window of 1 MiB, and less than one and a half, which are certain to be credited on the way: the handler ends, and we still have bytes of it.
        var request = new TransferRequest { Mode = "send", Length = 1280 * 1024, Seed = 1, StatusCode = (int)status, Key = "key" };
        await using var go = binary.Start("grpc-server");
        await using var onwards = new CSharpClient(await go.AddressAsync());
        await using var proxy = await CSharpServer.StartAsync(transfers: new TransferProxy(onwards));
        await using var client = new CSharpClient(proxy.Address);
        var mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var waiter = client.Sidechannels.Register(async (channel, token) =>
        {
            await mayRead.Task;
            await TransferCaller.MoveAsync(channel, request, null, token);
        });

        var call = client.Server.TransferAsync(request, waiter.Metadata).ResponseAsync;
        try
        {
            await onwards.Server.AwaitEndAsync(new Key { Key_ = "key" }).ResponseAsync.Guarded();
            for (var i = 0; i < 20; i++)
            {
                await onwards.Server.IdentifyAsync(new Empty()).ResponseAsync.Guarded();
                await client.Server.IdentifyAsync(new Empty()).ResponseAsync.Guarded();
            }

            Assert.False(call.IsCompleted);
        }
        finally
        {
            mayRead.SetResult(); // Or nobody could leave.
        }

        await waiter.WaitAsync().Guarded();
        if (status == StatusCode.OK)
        {
            await call.Guarded();
        }
        else
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.Guarded());
            Assert.Equal(status, failure.StatusCode);
        }

        await client.EndAsync();
        await proxy.EndAsync();
        await onwards.EndAsync();
    }

    private async Task RunGoAsync(int transfers, params string[] arguments)
    {
        await using var far = binary.Start("grpc-server");
        await using var onwards = new CSharpClient(await far.AddressAsync());
        await using var proxy = await CSharpServer.StartAsync(transfers: new TransferProxy(onwards));
        await using var near = binary.Start(["sidechannel-client", "-connect", proxy.Address, "-stay", .. arguments]);

        Assert.Equal($"{transfers}", await near.RestOfLineAsync("ok all "));

        var peer = proxy.Peers.GetPeer(1);
        await HangGuard.UntilAsync(() => peer.Session.StreamCount == 1);
        near.CloseInput();
        await near.SucceedAsync();
        await proxy.EndAsync();
        await onwards.EndAsync();
        far.CloseInput();
        await far.SucceedAsync();
        Assert.Empty(near.Complaints);
        Assert.Empty(far.Complaints);
    }
}
