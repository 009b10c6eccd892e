using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests;

public class CallBackTests
{
    [Fact]
    public async Task A_server_calls_the_client_that_called_it()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);

        var reply = await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal("client", reply.ServedBy);
        client.Log.AssertNoErrors();
        server.Log.AssertNoErrors();
    }

    [Fact]
    public async Task A_plain_client_uses_the_same_port_and_is_refused_a_call_back()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, plain: true);

        var reply = await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var refusal = await Assert.ThrowsAsync<RpcException>(
            () => client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded());

        Assert.Equal("server", reply.ServedBy);
        Assert.Equal(0, reply.PeerId);
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Equal("non-multiplexed connection", refusal.Status.Detail);
        Assert.Equal(0, server.Registry.Count);
    }
}
