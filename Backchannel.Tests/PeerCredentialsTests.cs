using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace Backchannel.Tests;

/// <summary>Credentials of calls to a peer.</summary>
public class PeerCredentialsTests
{
    private static readonly CallCredentials Credentials = CallCredentials.FromInterceptor((_, metadata) =>
    {
        metadata.Add("authorization", "Bearer secret");
        return Task.CompletedTask;
    });

    [Fact]
    public async Task They_are_sent_where_the_connection_has_TLS()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel());
        await using var client = new TestClient(server, configure: certificates.Trust);
        var seen = new List<string?>();
        client.State.Act = context =>
        {
            seen.Add(context.RequestHeaders.GetValue("authorization"));
            return Task.CompletedTask;
        };
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker);

        await peer.UnaryAsync(new Request { Act = true }, new CallOptions(credentials: Credentials)).ResponseAsync.Guarded();
        await peer.UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();

        Assert.Equal(["Bearer secret", null], seen);
    }

    [Fact]
    public async Task They_are_refused_where_it_has_not_in_every_kind_of_call()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker);
        var options = new CallOptions(credentials: Credentials);
        Action[] calls =
        [
            () => peer.Unary(new Request(), options),
            () => peer.UnaryAsync(new Request(), options),
            () => peer.ServerStream(new Request(), options),
            () => peer.ClientStream(options),
            () => peer.Duplex(options),
        ];

        Assert.All(calls, call =>
        {
            var refusal = Assert.Throws<InvalidOperationException>(call);
            Assert.Contains("to peer 1 has CallCredentials, and the peer's connection has no TLS", refusal.Message, StringComparison.Ordinal);
        });
        Assert.Equal("client", (await peer.UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Those_of_the_channel_are_sent_where_the_connection_has_TLS(bool unsafeToo, bool insecure)
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel(), options => options.ConfigureChannel = Configure(unsafeToo, insecure));
        await using var client = new TestClient(server, configure: certificates.Trust);
        var seen = "";
        client.State.Act = context =>
        {
            seen = context.RequestHeaders.GetValue("authorization");
            return Task.CompletedTask;
        };
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        await new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker).UnaryAsync(new Request { Act = true }).ResponseAsync.Guarded();

        Assert.Equal("Bearer secret", seen);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Those_of_the_channel_fail_the_start_where_an_endpoint_has_none(bool unsafeToo, bool insecure)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = Configure(unsafeToo, insecure)));

        Assert.Contains("ConfigureChannel has set Credentials that need TLS, and the endpoint has none", failure.Message, StringComparison.Ordinal);
    }

    private static Action<GrpcChannelOptions> Configure(bool unsafeToo, bool insecure) => channel =>
    {
        channel.Credentials = ChannelCredentials.Create(insecure ? ChannelCredentials.Insecure : ChannelCredentials.SecureSsl, Credentials);
        channel.UnsafeUseInsecureChannelCallCredentials = unsafeToo;
    };
}
