using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests.Sharing;

/// <summary>One connection for a host, an address and a certificate, whatever number of handlers use it.</summary>
public class ConnectionSharingTests
{
    [Fact]
    public async Task Channels_of_one_host_to_one_server_are_one_peer()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);

        var channels = Enumerable.Range(0, 10).Select(_ => client.NewChannel()).ToList();
        await Task.WhenAll(channels.Select(channel => CallBackAsync(new Tester.TesterClient(channel))));

        Assert.Equal(1, Assert.Single(server.State.Peers.Distinct()).Id);
        await Guard.Until(() => server.ConnectionCount == 1, "connections that are of no use are closed");
        Assert.Equal(1, client.Host.ConnectionCount);
        channels.ForEach(channel => channel.Dispose());
        server.Log.AssertNoErrors();
    }

    [Fact]
    public async Task The_connection_stays_as_long_as_one_channel_does_whichever_made_it()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await CallBackAsync(client.Tester);
        using var second = client.NewChannel();
        await CallBackAsync(new Tester.TesterClient(second));

        client.CloseChannel();
        await CallBackAsync(new Tester.TesterClient(second));
        var peer = Assert.Single(server.Registry.Peers);
        Assert.Equal("client", (await new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        second.Dispose();

        await Guard.Until(() => (server.Registry.Count, server.ConnectionCount, client.Host.ConnectionCount) == (0, 0, 0), "the last one closes it");
    }

    [Theory]
    [InlineData("ConfigurePrimaryHttpMessageHandler")]
    [InlineData("UseSocketsHttpHandler")]
    public async Task Typed_clients_of_a_factory_are_one_peer(string way)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var services = new ServiceCollection();
        Add(services.AddGrpcClient<Tester.TesterClient>("first", options => options.Address = new Uri(server.Address)));
        Add(services.AddGrpcClient<Tester.TesterClient>("second", options => options.Address = new Uri(server.Address)));
        Add(services.AddGrpcClient<OtherClient>(options => options.Address = new Uri(server.Address)));
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<global::Grpc.Net.ClientFactory.GrpcClientFactory>();

        await CallBackAsync(factory.CreateClient<Tester.TesterClient>("first"));
        await CallBackAsync(factory.CreateClient<Tester.TesterClient>("second"));
        await CallBackAsync(provider.GetRequiredService<OtherClient>());

        Assert.Equal(1, Assert.Single(server.State.Peers.Distinct()).Id);

        void Add(IHttpClientBuilder builder)
        {
            if (way == "UseSocketsHttpHandler")
            {
                builder.UseSocketsHttpHandler((handler, _) => handler.UseBackchannel(client.Host));
            }
            else
            {
                builder.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler().UseBackchannel(client.Host));
            }
        }
    }

    [Fact]
    public async Task Handlers_that_come_one_after_the_other_as_a_factory_rotates_them_are_one_peer()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var old = client.NewChannel();
        for (var i = 0; i < 24; i++)
        {
            await CallBackAsync(new Tester.TesterClient(old));
            var next = client.NewChannel();
            await CallBackAsync(new Tester.TesterClient(next));
            old.Dispose();
            old = next;
        }

        old.Dispose();
        Assert.Equal(1, Assert.Single(server.State.Peers.Distinct()).Id);
    }

    [Fact]
    public async Task Handlers_that_a_factory_rotates_and_nobody_collects_are_one_peer_and_go_on()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        var channels = new List<GrpcChannel>();
        for (var i = 0; i < new BackchannelServerOptions().MaxHttpConnectionsPerPeer + 10; i++)
        {
            channels.Add(client.NewChannel());
            await CallBackAsync(new Tester.TesterClient(channels[^1]));
        }

        await CallBackAsync(new Tester.TesterClient(channels[0])); // Those that were asked back connect again.
        Assert.Equal(1, Assert.Single(server.State.Peers.Distinct()).Id);
        channels.ForEach(channel => channel.Dispose());
    }

    [Fact]
    public async Task The_lifetime_that_a_factory_gives_its_handlers_is_not_one_that_was_asked_for()
    {
        await using var host = BackchannelHost.Create(_ => { }, _ => { });
        var lifetimes = new List<TimeSpan>();
        var services = new ServiceCollection();
        services.AddGrpcClient<Tester.TesterClient>(options => options.Address = new Uri("http://localhost:1"))
            .UseSocketsHttpHandler((handler, _) =>
            {
                handler.UseBackchannel(host);
                lifetimes.Add(handler.PooledConnectionLifetime);
            });
        await using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<Tester.TesterClient>();
        using var asked = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromHours(1) };

        Assert.Equal(Timeout.InfiniteTimeSpan, Assert.Single(lifetimes));
        asked.UseBackchannel(host);
        Assert.Equal(TimeSpan.FromHours(1), asked.PooledConnectionLifetime);
    }

    [Fact]
    public async Task A_lifetime_that_was_asked_for_drains_the_connection_and_a_call_to_the_client_finishes()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, configure: handler => handler.PooledConnectionLifetime = TimeSpan.FromTicks(1));
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.State.Peers);
        var running = new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request { Hang = true }).ResponseAsync;
        await client.State.Hanging.Guarded();

        await Guard.Until(async () =>
        {
            await CallBackAsync(client.Tester);
            return server.State.Peers.Distinct().Count() > 1;
        }, "the handler takes another connection");
        client.State.LetGo();

        Assert.Equal("client", (await running.Guarded()).ServedBy);
        await peer.Completion.Guarded();
    }

    [Fact]
    public async Task Clients_with_different_certificates_are_different_peers()
    {
        using var certificates = TestCertificates.Create();
        using var others = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(certificates.MutualTls(ofAnybody: true));
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), _ => { });
        using var first = Channel(certificates);
        using var again = Channel(certificates);
        using var second = Channel(others);

        Assert.Equal(1, await PeerIdAsync(first));
        Assert.Equal(1, await PeerIdAsync(again));
        Assert.Equal(2, await PeerIdAsync(second));
        Assert.Equal(certificates.Client.Thumbprint, server.Registry.GetPeer(1).ClientCertificate?.Thumbprint);
        Assert.Equal(others.Client.Thumbprint, server.Registry.GetPeer(2).ClientCertificate?.Thumbprint);

        GrpcChannel Channel(TestCertificates own)
        {
            var handler = new SocketsHttpHandler();
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [own.Client];
            return GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { HttpHandler = handler.UseBackchannel(host), DisposeHttpClient = true });
        }
    }

    [Fact]
    public async Task A_server_that_takes_one_stream_alone_gets_a_connection_for_each_handler()
    {
        var time = new FakeTimeProvider();
        await using var server = new OneStreamServer();
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), _ => { }, options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
            options.Yamux.ConnectionWriteTimeout = Timeout.InfiniteTimeSpan; // The clock runs far ahead of the sessions.
            options.Yamux.StreamOpenTimeout = Timeout.InfiniteTimeSpan;
            options.Yamux.PingTimeout = Timeout.InfiniteTimeSpan;
        });
        using var first = NewChannel();
        var calls = new List<Task> { Call(first) };
        await Guard.Until(() => server.Sessions.Count == 1, "the first connects");
        using var second = NewChannel();
        calls.Add(Call(second));
        await AdvanceUntilAsync(2);
        using var third = NewChannel();
        calls.Add(Call(third));
        await AdvanceUntilAsync(3);
        await Guard.Until(() => server.Sessions[0].StreamCount == 1, "the stream that was not taken is taken back");

        await Guard.Until(() => host.ConnectionCount == 3, "the host knows them");
        Assert.All(calls, call => Assert.False(call.IsCompleted));
        await host.DisposeAsync().Guarded();
        await Task.WhenAll(calls.Select(call => CallsBothWays.AssertUnavailableAsync(call)));

        GrpcChannel NewChannel() => GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { ConnectTimeout = Guard.BeyondLimit }.UseBackchannel(host), DisposeHttpClient = true });
        Task AdvanceUntilAsync(int count) => Guard.Until(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await server.Sessions[0].PingAsync(TestContext.Current.CancellationToken).Guarded(); // A second for each round trip, so that the clock does not outrun the bytes.
            return server.Sessions.Count == count;
        }, "the next gets a connection of its own");
        static Task Call(GrpcChannel channel) => new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync;
    }

    private static async Task CallBackAsync(Tester.TesterClient client)
        => Assert.Equal("client", (await client.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);

    private static async Task<long> PeerIdAsync(GrpcChannel channel)
        => (await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId;

    private sealed class OtherClient(global::Grpc.Core.CallInvoker invoker) : Tester.TesterClient(invoker);
}
