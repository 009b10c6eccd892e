using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Backchannel.Tests;

public class ServerConfigurationTests
{
    [Theory]
    [InlineData(HttpProtocols.Http1AndHttp2)]
    [InlineData(HttpProtocols.Http1)]
    public async Task A_cleartext_endpoint_that_does_not_speak_HTTP2_alone_is_refused_at_start(HttpProtocols protocols)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(listen =>
        {
            listen.UseBackchannel();
            listen.Protocols = protocols;
        }));

        Assert.Contains("http://127.0.0.1:0", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Set listen.Protocols = HttpProtocols.Http2; (an endpoint of appsettings.json: \"Protocols\": \"Http2\").", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_with_TLS_and_without_HTTP2_is_refused_at_start()
    {
        using var certificates = TestCertificates.Create();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(certificates.Server).UseBackchannel();
        }));

        Assert.EndsWith("Set listen.Protocols = HttpProtocols.Http2; (an endpoint of appsettings.json: \"Protocols\": \"Http2\").", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UseBackchannel_before_UseHttps_is_refused_at_start()
    {
        using var certificates = TestCertificates.Create();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(listen => listen.UseBackchannel().UseHttps(certificates.Server)));

        Assert.Contains("Call listen.UseHttps() before listen.UseBackchannel();", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("endpoint")]
    [InlineData("defaults")]
    public async Task UseBackchannel_alone_on_a_TLS_endpoint_of_the_configuration_is_refused_with_the_line_for_it(string way)
    {
        using var certificates = TestCertificates.Create();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Endpoints:Agents:Url", "https://127.0.0.1:0")]).Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            kestrel =>
            {
                kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificates.Server);
                if (way == "endpoint")
                {
                    kestrel.Configure(configuration).Endpoint("Agents", endpoint => endpoint.ListenOptions.UseBackchannel());
                }
                else
                {
                    kestrel.ConfigureEndpointDefaults(listen => listen.UseBackchannel());
                    kestrel.Configure(configuration);
                }
            },
            null));

        Assert.EndsWith("endpoint => endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions).UseBackchannel());", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UseBackchannel_without_AddBackchannel_is_refused_at_start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, TestServer.Cleartext));

        // Building the application makes Kestrel read its options, and with them this endpoint.
        var error = Assert.Throws<InvalidOperationException>(() => builder.Build());

        Assert.Contains("builder.Services.AddBackchannel()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_out_of_range_are_refused_at_start()
    {
        var timeout = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.HandshakeTimeout = TimeSpan.FromSeconds(-3)));
        var window = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.Yamux.MaxStreamWindowSize = 1000));
        var both = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => (options.Yamux.InitialStreamWindowSize, options.Yamux.MaxStreamWindowSize) = (16 * 1024 * 1024, 1024 * 1024)));

        var drain = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.DrainTimeout = TimeSpan.Zero));
        var connections = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.MaxHttpConnectionsPerPeer = 0));

        var idle = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.IdleTimeout = TimeSpan.Zero));

        Assert.Contains("IdleTimeout is 00:00:00; it must be more than 0", idle.Message, StringComparison.Ordinal);
        Assert.Contains("DrainTimeout is 00:00:00; it must be more than 0", drain.Message, StringComparison.Ordinal);
        Assert.Contains("MaxHttpConnectionsPerPeer is 0; it must be at least 1", connections.Message, StringComparison.Ordinal);
        Assert.Contains("HandshakeTimeout is -00:00:03; it must be more than 0", timeout.Message, StringComparison.Ordinal);
        Assert.Contains("MaxStreamWindowSize is 1000; it must be 262144 to", window.Message, StringComparison.Ordinal);
        Assert.Contains(
            "InitialStreamWindowSize is 16777216; it must be 262144 to 1048576. The latter is MaxStreamWindowSize.", both.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_yamuxs_but_for_the_keepalive()
    {
        var server = new BackchannelServerOptions();
        var client = new BackchannelHostOptions();

        Assert.All([server.Yamux, client.Yamux], yamux =>
        {
            Assert.Equal((1024 * 1024, 16 * 1024 * 1024), (yamux.InitialStreamWindowSize, yamux.MaxStreamWindowSize));
            Assert.True(yamux.EnableKeepAlive);
            Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(10)), (yamux.KeepAliveInterval, yamux.KeepAliveTimeout));
            Assert.Equal(256, yamux.AcceptBacklog);
        });
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), (server.DrainTimeout, client.DrainTimeout));
        Assert.Equal(128, server.MaxHttpConnectionsPerPeer);
        Assert.Equal(TimeSpan.FromSeconds(120), server.HandshakeTimeout);
        Assert.Equal(TimeSpan.FromMinutes(30), server.IdleTimeout);
    }

    [Fact]
    public async Task Interceptors_see_every_call_to_a_peer_the_first_outermost()
    {
        var seen = new List<string>();
        await using var server = await TestServer.StartAsync(TestServer.Cleartext, options =>
        {
            options.Interceptors.Add(new Recorder("outer", seen));
            options.Interceptors.Add(new Recorder("inner", seen));
        });
        await using var client = new TestClient(server);

        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal(["outer", "inner"], seen);
    }

    [Fact]
    public async Task Channel_options_can_be_changed_but_not_the_handler()
    {
        await using var server = await TestServer.StartAsync(
            TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.MaxSendMessageSize = 10);
        await using var client = new TestClient(server);
        var request = new Request { CallBack = new Request { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[100]) } };

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(request).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task A_handler_chain_that_ends_in_the_backchannel_is_accepted()
    {
        var counter = new CountingHandler();
        await using var server = await TestServer.StartAsync(
            TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.HttpHandler = new CountingHandler(counter) { InnerHandler = channel.HttpHandler! });
        await using var client = new TestClient(server);

        await client.Tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();

        Assert.Equal(1, counter.Count);
    }

    [Fact]
    public async Task A_channel_configuration_that_replaces_the_handler_or_throws_fails_the_start()
    {
        using var other = new SocketsHttpHandler();
        var replaced = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.HttpHandler = other));
        var wrapped = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.HttpHandler = new CountingHandler { InnerHandler = other }));
        using var shared = new CountingHandler();
        var sharing = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = channel =>
        {
            shared.InnerHandler = channel.HttpHandler!;
            channel.HttpHandler = shared;
        }));
        using var http = new HttpClient();
        var client = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.HttpClient = http));
        var threw = await Assert.ThrowsAsync<FormatException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = _ => throw new FormatException("mine")));

        var version = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(TestServer.Cleartext, options => options.ConfigureChannel = channel => channel.HttpVersion = System.Net.HttpVersion.Version30));

        Assert.Contains("has set HttpVersion 3.0; a backchannel needs HTTP/2", version.Message, StringComparison.Ordinal);
        Assert.Contains("has replaced the HTTP handler", replaced.Message, StringComparison.Ordinal);
        Assert.Contains("has put one handler around the channels of two peers", sharing.Message, StringComparison.Ordinal);
        Assert.Contains("has replaced the HTTP handler", client.Message, StringComparison.Ordinal);
        Assert.Contains("InnerHandler = channel.HttpHandler", wrapped.Message, StringComparison.Ordinal);
        Assert.Equal("mine", threw.Message);
    }

    [Theory]
    [InlineData("Agents", false)]
    [InlineData("Agnets", true)]
    public async Task A_server_none_of_whose_endpoints_has_a_backchannel_warns(string name, bool warns)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Endpoints:Agents:Url"] = "http://127.0.0.1:0",
            ["Endpoints:Agents:Protocols"] = "Http2",
        }).Build();

        await using var server = await TestServer.StartAsync(
            kestrel => kestrel.Configure(configuration).Endpoint(name, endpoint => endpoint.ListenOptions.UseBackchannel()), options: null);

        Assert.Equal(warns ? 1 : 0, server.Log.Lines.Count(line => line is { Event.Name: "NoEndpoint", Level: LogLevel.Warning }));
    }

    private sealed class CountingHandler(CountingHandler? total = null) : DelegatingHandler
    {
        private int _count;

        public int Count => _count;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref (total ?? this)._count);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Recorder(string name, List<string> seen) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            seen.Add(name);
            return continuation(request, context);
        }
    }
}
