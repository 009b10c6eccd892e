using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests;

public class CancellationTests
{
    private static readonly Request HangAtTheClient = new() { CallBack = new Request { Hang = true } };

    [Fact]
    public async Task Cancelling_a_call_cancels_the_handlers_of_both_hops()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        using var cancellation = new CancellationTokenSource();

        var call = client.Tester.UnaryAsync(HangAtTheClient, cancellationToken: cancellation.Token).ResponseAsync;
        await client.State.Hanging.Guarded();
        await cancellation.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await client.State.Cancelled.Guarded();
    }

    [Fact]
    public async Task A_deadline_cancels_the_handlers_of_both_hops()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        var call = client.Tester.UnaryAsync(HangAtTheClient, deadline: DateTime.UtcNow.AddSeconds(1)).ResponseAsync;

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await client.State.Hanging.Guarded();
        await client.State.Cancelled.Guarded();
    }

    [Fact]
    public async Task A_call_back_that_the_server_cancels_is_cancelled_at_the_client_and_leaves_the_connection_alone()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var id = (await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId;
        var peer = new Tester.TesterClient(server.Registry.GetPeer(id).Invoker);
        using var cancellation = new CancellationTokenSource();

        var call = peer.UnaryAsync(new Request { Hang = true }, cancellationToken: cancellation.Token).ResponseAsync;
        await client.State.Hanging.Guarded();
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.Guarded())).StatusCode);
        await client.State.Cancelled.Guarded();

        Assert.Equal("client", (await peer.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal(id, (await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId);
    }
}
