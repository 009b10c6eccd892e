using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Sharing;

/// <summary>More calls at a time than one HTTP/2 connection of Kestrel's takes, which is 100.</summary>
public class ManyCallsTests
{
    private const int Count = 150;

    [Fact]
    public async Task Calls_that_call_back_and_wait_do_not_deadlock_and_are_one_peer()
    {
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(services => services.AddGrpc().Services.AddSingleton(new TesterState("client")), endpoints => endpoints.MapGrpcService<TesterService>());
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        var client = new Tester.TesterClient(channel);
        var all = new AllHere(Count);
        server.State.Act = all.ArriveAsync;

        var replies = await Task.WhenAll(Enumerable.Range(0, Count)
            .Select(_ => client.UnaryAsync(new Request { Act = true }).ResponseAsync)).Guarded();

        Assert.All(replies, reply => Assert.Equal(1, reply.PeerId));
        Assert.Equal(1, host.ConnectionCount);
    }

    [Fact]
    public async Task As_many_calls_to_the_client_run_at_a_time()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker);
        var all = new AllHere(Count);
        client.State.Act = all.ArriveAsync;

        await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => peer.UnaryAsync(new Request { Act = true }).ResponseAsync)).Guarded();

        Assert.Equal(1, client.Host.ConnectionCount);
    }

    [Fact]
    public async Task Each_call_of_many_calls_back_and_waits_for_all_the_others()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var all = new AllHere(Count);
        client.State.Act = all.ArriveAsync;

        var replies = await Task.WhenAll(Enumerable.Range(0, Count)
            .Select(_ => client.Tester.UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync)).Guarded();

        Assert.All(replies, reply => Assert.Equal("client", reply.ServedBy));
        Assert.Equal(1, Assert.Single(server.State.Peers.Distinct()).Id);
    }

    [Fact]
    public async Task Channels_that_come_while_others_give_back_the_last_stream_are_served()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                using var channel = client.NewChannel();
                var reply = await new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
                Assert.Equal("client", reply.ServedBy);
            }
        })));

        client.CloseChannel();
        await Guard.Until(() => (server.Registry.Count, server.ConnectionCount, client.Host.ConnectionCount) == (0, 0, 0), "nothing is left");
        server.Log.AssertNoErrors();
        client.Log.AssertNoErrors();
    }

    [Fact]
    public async Task More_HTTP2_connections_than_a_peer_may_have_are_refused_and_the_others_go_on()
    {
        await using var server = await TestServer.StartAsync(options: options => options.MaxHttpConnectionsPerPeer = 2);
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        using var second = client.NewChannel();
        await new Tester.TesterClient(second).UnaryAsync(new Request()).ResponseAsync.Guarded();
        using (var third = client.NewChannel())
        {
            await CallsBothWays.AssertUnavailableAsync(new Tester.TesterClient(third).UnaryAsync(new Request()).ResponseAsync, "takes no further HTTP/2 connection");
        }

        using var patient = client.NewChannel();
        await EventuallyAsync(patient); // The first has nothing to do, and was asked back.
        second.Dispose();
        using var fourth = client.NewChannel();
        await EventuallyAsync(fourth);

        static Task EventuallyAsync(GrpcChannel channel) => Guard.Until(async () =>
        {
            try
            {
                return (await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId == 1;
            }
            catch (global::Grpc.Core.RpcException refused) when (refused.StatusCode == global::Grpc.Core.StatusCode.Unavailable)
            {
                return false;
            }
        }, "there is room again");
    }

    // Nobody goes on before all have come.
    private sealed class AllHere(int count)
    {
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _missing = count;

        public Task ArriveAsync(global::Grpc.Core.ServerCallContext context)
        {
            if (Interlocked.Decrement(ref _missing) == 0)
            {
                _all.SetResult();
            }

            return _all.Task.WaitAsync(context.CancellationToken);
        }
    }
}
