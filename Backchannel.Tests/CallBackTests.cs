using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Google.Protobuf;
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

    [Fact]
    public async Task The_status_of_the_client_comes_back_unchanged()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        for (var code = StatusCode.Cancelled; code <= StatusCode.Unauthenticated; code++)
        {
            var request = new Request { CallBack = new Request { StatusCode = (int)code, StatusDetail = $"because {code}" } };

            var status = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(request).ResponseAsync.Guarded());

            Assert.Equal((code, $"because {code}"), (status.StatusCode, status.Status.Detail));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65536)]
    [InlineData(3 * 1024 * 1024)]
    public async Task Calls_of_every_kind_carry_messages_both_ways(int size)
    {
        var payload = ByteString.CopyFrom(Bytes(size));
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var id = (await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId;
        var peer = new Tester.TesterClient(server.Registry.GetPeer(id).Invoker);

        await Task.WhenAll(CallEveryKindAsync(client.Tester, "server", payload), CallEveryKindAsync(peer, "client", payload)).Guarded();
    }

    [Fact]
    public async Task A_client_calls_a_server_that_calls_the_client_that_calls_the_server()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        client.State.CallBack = () => client.Invoker;
        var request = new Request { CallBack = new Request { CallBack = new Request { CallBack = new Request { Payload = ByteString.CopyFromUtf8("deep") } } } };

        var reply = await client.Tester.UnaryAsync(request).ResponseAsync.Guarded();

        Assert.Equal("client", reply.ServedBy);
        Assert.Equal("deep", reply.Payload.ToStringUtf8());
        Assert.Equal(1, client.Host.ConnectionCount);
    }

    [Fact]
    public async Task Twenty_five_multiplexed_and_twenty_five_plain_clients_at_once_are_told_apart()
    {
        await using var server = await TestServer.StartAsync();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            await using var client = new TestClient(server, $"client {i}", plain: i % 2 == 1);
            for (var call = 0; call < 2; call++)
            {
                var answer = client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
                if (i % 2 == 0)
                {
                    Assert.Equal($"client {i}", (await answer).ServedBy);
                }
                else
                {
                    Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => answer)).StatusCode);
                }
            }
        }));

        await Guard.Until(() => server.Registry.Count == 0, "the registry forgets the clients");
    }

    private static async Task CallEveryKindAsync(Tester.TesterClient tester, string servedBy, ByteString payload)
    {
        var request = new Request { Payload = payload, Count = 3 };
        Assert.Equal(payload, (await tester.UnaryAsync(request)).Payload);

        using var download = tester.ServerStream(request);
        var replies = await download.ResponseStream.ReadAllAsync().ToListAsync();
        Assert.Equal(3, replies.Count);
        Assert.All(replies, reply => Assert.Equal((servedBy, payload), (reply.ServedBy, reply.Payload)));

        using var upload = tester.ClientStream();
        using var duplex = tester.Duplex();
        for (var i = 0; i < 3; i++)
        {
            await upload.RequestStream.WriteAsync(request);
            await duplex.RequestStream.WriteAsync(request);
            Assert.True(await duplex.ResponseStream.MoveNext(default));
            Assert.Equal(payload, duplex.ResponseStream.Current.Payload);
        }

        await upload.RequestStream.CompleteAsync();
        await duplex.RequestStream.CompleteAsync();
        Assert.Equal(payload, (await upload).Payload);
        Assert.False(await duplex.ResponseStream.MoveNext(default));
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
