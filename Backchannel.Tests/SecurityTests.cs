using System.Buffers;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Backchannel.Tests.Authority;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;
using Yamux;

namespace Backchannel.Tests;

/// <summary>What SECURITY.md says that a socket, a client and a server can do to each other, and cannot, as far as no other tests hold it.</summary>
public class SecurityTests
{
    [Fact]
    public async Task A_socket_without_any_credential_is_listed_and_can_be_called_before_it_has_made_a_call()
    {
        await using var server = await TestServer.StartAsync();
        await using var socket = new RawClient(server);
        await socket.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 1, "it is a peer");

        var call = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker).UnaryAsync(new Request()).ResponseAsync;

        await using (var called = (await socket.Session.AcceptStreamAsync(TestContext.Current.CancellationToken).Guarded())!)
        {
            var preface = await called.Input.ReadAtLeastAsync(24, TestContext.Current.CancellationToken).Guarded();
            Assert.StartsWith("PRI * HTTP/2.0", System.Text.Encoding.ASCII.GetString(preface.Buffer.ToArray()), StringComparison.Ordinal);
        }

        await socket.DisposeAsync();
        await CallsBothWays.AssertUnavailableAsync(call);
        Assert.Empty(server.State.Peers);
    }

    [Fact]
    public async Task A_stream_of_a_peer_that_is_no_HTTP2_is_refused_and_reaches_nobody()
    {
        await using var server = await TestServer.StartAsync();
        await using var other = new TestClient(server);
        await other.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        await using var socket = new RawClient(server);
        await socket.First.Guarded();
        await using var second = await socket.Session.OpenStreamAsync(TestContext.Current.CancellationToken).Guarded();
        await second.Output.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken).Guarded();

        var failure = await Assert.ThrowsAsync<YamuxException>(() => second.Input.ReadAsync(TestContext.Current.CancellationToken).Guarded());

        Assert.Equal(YamuxErrorCode.StreamReset, failure.ErrorCode);
        Assert.False(socket.Session.Completion.IsCompleted);
        Assert.Equal("client", (await other.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
    }

    [Fact]
    public async Task A_socket_that_TLS_does_not_take_is_no_peer()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(certificates.MutualTls());
        await using var nobody = new TestClient(server, configure: certificates.Trust);
        await using var cleartext = new RawClient(server);

        await CallsBothWays.AssertUnavailableAsync(nobody.Tester.UnaryAsync(new Request()).ResponseAsync);
        await Assert.ThrowsAsync<YamuxException>(async () => await (await cleartext.First.Guarded()).Acknowledged.Guarded());

        await Guard.Until(() => (server.ConnectionCount, nobody.Host.ConnectionCount) == (0, 0), "the connections are closed");
        Assert.Equal(0, server.Registry.Count);
        Assert.Empty(server.State.CallerCertificates);
    }

    [Fact]
    public async Task A_peer_without_a_credential_calls_what_needs_none_and_nothing_else()
    {
        await using var app = await StartGuardedAsync();
        var state = new TesterState("client");
        await using var host = BackchannelHost.Create(services => services.AddSingleton(state).AddGrpc(), endpoints => endpoints.MapGrpcService<TesterService>());
        using var channel = GrpcChannel.ForAddress(
            app.Urls.Single(), new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        var open = new Tester.TesterClient(channel);
        var guarded = new Elections.Coordination.CoordinationClient(channel);

        Assert.Equal("client", (await open.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        var refused = await Assert.ThrowsAsync<RpcException>(() => guarded.DecideAsync(new Elections.Proposal()).ResponseAsync.Guarded());
        var served = await guarded.DecideAsync(new Elections.Proposal(), new Metadata { { "authorization", "somebody" } }).ResponseAsync.Guarded();

        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.True(served.Accepted);

        // Over the same connection: that one call was somebody's makes nobody of the peer.
        Assert.Single(app.Services.GetRequiredService<IBackchannelRegistry>().Peers);
        await Assert.ThrowsAsync<RpcException>(() => guarded.DecideAsync(new Elections.Proposal()).ResponseAsync.Guarded());
    }

    [Fact]
    public async Task A_server_calls_what_its_client_has_mapped_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.Registry.Peers);

        Assert.Equal("client", (await new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        var failure = await Assert.ThrowsAsync<RpcException>(() => new Transfers.TransfersClient(peer.Invoker).RunAsync(new Job()).ResponseAsync.Guarded());

        Assert.Equal(
            (StatusCode.Unimplemented, "The client serves no /backchannel.tests.Transfers/Run: it has not mapped it (endpoints.MapGrpcService<…>() in BackchannelHost.Create)."),
            (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task A_client_that_has_mapped_nothing_says_so()
    {
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(_ => { }, _ => { });
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
        Assert.StartsWith("The client serves no /backchannel.tests.Tester/Unary: it has not mapped it", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_clients_own_service_says_of_what_it_has_not_stays_its_own()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server);

        var failure = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(
            new Request { CallBack = new Request { StatusCode = (int)StatusCode.Unimplemented, StatusDetail = "not yet" } }).ResponseAsync.Guarded());

        Assert.Equal((StatusCode.Unimplemented, "not yet"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task A_client_listens_on_no_port()
    {
        var watcher = new AddressWatcher();
        await using var server = await TestServer.StartAsync();
        await using var host = BackchannelHost.Create(
            services => services.AddSingleton(new TesterState("client")).AddSingleton<IHostedService>(provider => watcher.Watch(provider)).AddGrpc(),
            endpoints => endpoints.MapGrpcService<TesterService>());
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });

        await new Tester.TesterClient(channel).UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal(["http://backchannel"], watcher.Addresses());
    }

    [Fact]
    public async Task Whoever_answers_can_call_the_client_which_sees_no_address_and_no_certificate()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel());
        await using var client = new TestClient(server, configure: handler =>
        {
            certificates.Trust(handler);
            handler.SslOptions.ClientCertificates = [certificates.Client];
        });
        (IPAddress?, IPAddress?, object?) seen = (IPAddress.None, IPAddress.None, this);
        client.State.Act = context =>
        {
            var http = context.GetHttpContext();
            seen = (http.Connection.RemoteIpAddress, http.Connection.LocalIpAddress, http.Connection.ClientCertificate);
            return Task.CompletedTask;
        };

        await client.Tester.UnaryAsync(new Request { CallBack = new Request { Act = true } }).ResponseAsync.Guarded();
        Assert.Equal((null, null, null), seen);

        // No server of ours, and without TLS.
        await using var anybody = await RawServer.StartAsync();
        var connection = await anybody.ConnectAsync();
        Assert.Equal(new Answer(""), await connection.CallAsync(1, Http2Frames.Request(1, new HpackWriter().Request().ToArray())));
    }

    [Fact]
    public async Task A_server_counts_multiplexed_connections_as_it_counts_all()
    {
        await using var server = await TestServer.StartAsync(
            kestrel =>
            {
                kestrel.Limits.MaxConcurrentConnections = 1;
                kestrel.Listen(IPAddress.Loopback, 0, TestServer.Cleartext);
            },
            null);
        await using var first = new TestClient(server);
        await using var second = new TestClient(server);
        await first.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();

        await CallsBothWays.AssertUnavailableAsync(second.Tester.UnaryAsync(new Request()).ResponseAsync);

        Assert.Equal("client", (await first.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded()).ServedBy);
        Assert.Equal(1, Assert.Single(server.Registry.Peers).Id);
    }

    [Theory]
    [InlineData(4 * 1024 * 1024, null, false)]
    [InlineData((4 * 1024 * 1024) - 100, null, true)]
    [InlineData(4 * 1024 * 1024, 5 * 1024 * 1024, true)]
    public async Task What_a_client_answers_is_at_most_as_large_as_the_channel_takes(int size, int? limit, bool taken)
    {
        await using var server = await TestServer.StartAsync(
            TestServer.Cleartext, options => options.ConfigureChannel = limit is null ? null : channel => channel.MaxReceiveMessageSize = limit);
        await using var host = BackchannelHost.Create(
            services => services.AddSingleton(new TesterState("client")).AddGrpc(grpc => grpc.MaxReceiveMessageSize = null),
            endpoints => endpoints.MapGrpcService<TesterService>());
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler().UseBackchannel(host), DisposeHttpClient = true });
        await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();

        var answer = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker)
            .UnaryAsync(new Request { Payload = UnsafeByteOperations.UnsafeWrap(new byte[size]) }).ResponseAsync;

        if (taken)
        {
            Assert.Equal(size, (await answer.Guarded()).Payload.Length);
        }
        else
        {
            Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => answer.Guarded())).StatusCode);
        }
    }

    [Fact]
    public void A_token_is_good_for_whoever_shows_it_as_often_as_they_like()
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        var token = GitalyToken.Create("secret", time);

        Assert.All(Enumerable.Range(0, 31), second => Assert.True(GitalyToken.Verify(token, "secret", time.AddSeconds(second))));
        Assert.False(GitalyToken.Verify(token, "secret", time.AddSeconds(31)));
    }

    // The tester is open to all; Coordination asks who it is.
    private static async Task<WebApplication> StartGuardedAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, TestServer.Cleartext));
        builder.Services.AddRouting();
        builder.Services.AddSingleton(new TesterState("server")).AddGrpc();
        builder.Services.AddBackchannel();
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, AnyHeader>("test", null);
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGrpcService<TesterService>();
        app.MapGrpcService<Coordinator>().RequireAuthorization();
        await app.StartAsync().Guarded();
        return app;
    }

    private sealed class AnyHeader(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers.Authorization is [{ } name]
                ? AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, name)], "test")), "test"))
                : AuthenticateResult.NoResult());
    }

    private sealed class Coordinator : Elections.Coordination.CoordinationBase
    {
        public override Task<Elections.Outcome> Decide(Elections.Proposal proposal, ServerCallContext context)
            => Task.FromResult(new Elections.Outcome { Accepted = context.GetHttpContext().User.Identity?.Name == "somebody" });
    }

    /// <summary>Knows what the server of a host says that it listens on.</summary>
    private sealed class AddressWatcher : IHostedService
    {
        private IServer? _server;

        public AddressWatcher Watch(IServiceProvider services)
        {
            _server = services.GetRequiredService<IServer>();
            return this;
        }

        public IEnumerable<string> Addresses() => _server!.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
