using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Backchannel.Tests;

/// <summary>What a client is told that reaches another port than it thought: the case, and what to do, before all else.</summary>
public sealed class WrongServerTests : IAsyncDisposable
{
    private const string Closed = "The server took the connection and closed it without an answer. ";
    private const string NoTls = " does not speak TLS: the address must begin with http://";
    private const string NoBackchannel = "The server speaks HTTP/2 without a backchannel: its endpoint must call listen.UseBackchannel().";
    private const string Http1 = "The server answers in HTTP/1: ";
    private const string NoHttp2 = " speaks TLS, and offers no HTTP/2 (ALPN).";

    private readonly TestCertificates _certificates = TestCertificates.Create();
    private readonly BackchannelHost _host = BackchannelHost.Create(services => services.AddGrpc(), _ => { });

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _certificates.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Https_to_a_port_without_TLS(bool hasBackchannel)
    {
        await using var server = await TestServer.StartAsync(hasBackchannel ? TestServer.Cleartext : listen => listen.Protocols = HttpProtocols.Http2);

        var address = server.Address.Replace("http://", "https://", StringComparison.Ordinal);
        await AssertToldAsync(address, address + NoTls);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Http_to_a_port_with_TLS(bool hasBackchannel)
    {
        await using var server = await TestServer.StartAsync(listen => Secure(listen, hasBackchannel));

        // It closes before the client has opened a stream, or after.
        await Rounds.RunAsync(() => AssertToldAsync(
            server.Address.Replace("https://", "http://", StringComparison.Ordinal), Closed + "A port that speaks TLS does so where the address begins with http:// instead of https://"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_without_a_backchannel(bool tls)
    {
        await using var server = await TestServer.StartAsync(listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (tls)
            {
                listen.UseHttps(_certificates.Server);
            }
        });

        await AssertToldAsync(server.Address, NoBackchannel);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted()
    {
        await using var server = await StartAsync("https");

        AssertFirst(
            $"The TLS handshake with {server.Address} failed: The remote certificate is invalid because of errors in the certificate chain",
            await FailAsync(server.Address, handler => handler.SslOptions.CertificateChainPolicy = null));
    }

    [Fact]
    public async Task A_port_without_TLS_that_a_ConnectCallback_of_ones_own_connects_to()
    {
        await using var server = await StartAsync("http");
        var address = server.Address.Replace("http://", "https://", StringComparison.Ordinal);

        AssertFirst($"The TLS handshake with {address} failed: ", await FailAsync(address, handler => handler.ConnectCallback = ConnectAsync));
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http1AndHttp2)]
    public async Task A_port_on_which_Kestrel_speaks_HTTP1(HttpProtocols protocols)
    {
        await using var server = await TestServer.StartAsync(listen => listen.Protocols = protocols);

        await AssertToldAsync(server.Address, Http1);
    }

    [Fact]
    public async Task A_port_with_TLS_that_refuses_HTTP2()
    {
        await using var server = await TestServer.StartAsync(listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(_certificates.Server);
        });

        await AssertToldAsync(server.Address, server.Address + NoHttp2);
    }

    [Fact]
    public async Task A_port_with_TLS_that_negotiates_nothing()
    {
        await using var server = new StrangeServer([], certificate: _certificates.Server);

        await AssertToldAsync(server.Address("https"), server.Address("https") + NoHttp2);
    }

    [Fact]
    public async Task A_server_that_ends_the_HTTP2_connection_in_good_order_before_it_answers()
    {
        await using var server = new OneStreamServer(endsStream: true);

        await AssertToldAsync(server.Address, "The server closed the HTTP/2 connection without an answer: it may be about to stop.");
    }

    [Fact]
    public async Task A_server_that_refuses_the_connection()
    {
        await using var server = await TestServer.StartAsync(
            listen => Secure(listen, hasBackchannel: true), options => options.OnConnecting = context =>
            {
                context.Refuse("not one of ours");
                return default;
            });

        await AssertToldAsync(server.Address, Closed + "One that wants a certificate of the client's does so");
    }

    [Fact]
    public async Task A_server_that_wants_a_certificate()
    {
        await using var server = await TestServer.StartAsync(listen => _certificates.MutualTls()(listen));

        await Rounds.RunAsync(() => AssertToldAsync(server.Address, Closed + "One that wants a certificate of the client's does so (SslOptions.ClientCertificates)"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_ConnectCallback_that_fails_in_a_way_of_its_own(bool cancels)
    {
        AssertFirst("No connection to http://localhost:1: mine.", await FailAsync(
            "http://localhost:1", handler => handler.ConnectCallback = (_, _) => throw (cancels ? new OperationCanceledException("mine") : new TimeoutException("mine"))));
    }

    [Fact]
    public async Task A_port_with_TLS_that_refuses_HTTP2_behind_a_ConnectCallback_of_ones_own()
    {
        await using var server = await TestServer.StartAsync(listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(_certificates.Server);
        });

        AssertFirst(server.Address + NoHttp2, await FailAsync(server.Address, handler => handler.ConnectCallback = ConnectAsync));
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Http1, NoTls)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "The server is no gRPC server: its answer begins with octet 83.", NoTls)]
    [InlineData("\u0015\u0003\u0001\0\u0002\u0002\u0046", "The server speaks TLS: its address must begin with https://.", "SSL Handshake failed")]
    [InlineData("\u0015\u0003\u0001\0\u0002\u0002\u0078", "The server speaks TLS: its address must begin with https://.", NoHttp2)]
    [InlineData("", Closed, "took the connection and closed it instead of answering TLS.")]
    public async Task Something_else_that_answers_and_closes(string answer, string toldHttp, string toldHttps)
    {
        await using var server = new StrangeServer(System.Text.Encoding.Latin1.GetBytes(answer), closes: true);

        await AssertToldAsync(server.Address("http"), toldHttp);
        var https = await FailAsync(server.Address("https"));
        Assert.Contains(toldHttps, https.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_nothing()
    {
        var time = new FakeTimeProvider();
        await using var server = new StrangeServer([]);
        await using var host = BackchannelHost.Create(services => services.AddGrpc(), _ => { }, options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.EnableKeepAlive = false;
            options.Yamux.StreamOpenTimeout = Timeout.InfiniteTimeSpan;
        });
        using var channel = NewChannel(server.Address("http"), handler => handler.ConnectTimeout = TimeSpan.FromMinutes(5), host: host);
        var call = new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync;

        await Guard.Until(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return call.IsCompleted;
        }, "the call fails");

        var failure = await Assert.ThrowsAsync<RpcException>(() => call);
        AssertFirst("The server took the connection and said nothing within 300 s (SocketsHttpHandler.ConnectTimeout).", failure);
    }

    [Fact]
    public async Task A_server_that_says_nothing_instead_of_TLS()
    {
        await using var server = new StrangeServer([]);

        var failure = await FailAsync(server.Address("https"), handler => handler.ConnectTimeout = TimeSpan.FromMilliseconds(100));

        AssertFirst($"No connection to {server.Address("https")} within 0.1 s (SocketsHttpHandler.ConnectTimeout): it cannot be reached, or does not answer.", failure);
    }

    [Fact]
    public async Task Nobody_at_all()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // And does not listen.

        var failure = await FailAsync($"http://{nobody.LocalEndPoint}");

        Assert.StartsWith($"Error starting gRPC call. HttpRequestException: Connection refused ({nobody.LocalEndPoint})", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpVersionPolicy.RequestVersionExact)]
    [InlineData(HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData(HttpVersionPolicy.RequestVersionOrLower)]
    public async Task A_channel_of_HTTP3(HttpVersionPolicy policy)
    {
        await using var server = await TestServer.StartAsync(listen => Secure(listen, hasBackchannel: true));
        using var channel = NewChannel(server.Address, options: options =>
        {
            options.HttpVersion = HttpVersion.Version30;
            options.HttpVersionPolicy = policy;
        });

        var failure = await Assert.ThrowsAsync<RpcException>(() => new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.StartsWith(
            $"Error starting gRPC call. HttpRequestException: A backchannel needs HTTP/2, and this request is HTTP/3.0 ({policy}), which goes over QUIC, past it. Leave GrpcChannelOptions.HttpVersion alone",
            failure.Status.Detail,
            StringComparison.Ordinal);
        Assert.Equal(0, server.ConnectionCount);
    }

    [Theory]
    [InlineData("http", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("http", HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData("https", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("https", HttpVersionPolicy.RequestVersionOrLower)]
    public async Task A_request_of_HTTP1(string scheme, HttpVersionPolicy policy)
    {
        await using var server = await StartAsync(scheme);
        using var http = new HttpClient(NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address) { Version = HttpVersion.Version11, VersionPolicy = policy };

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => http.SendAsync(request).Guarded());

        Assert.Equal(
            $"A backchannel needs HTTP/2, and this request is HTTP/1.1 ({policy}). Set its Version = HttpVersion.Version20, or HttpClient.DefaultRequestVersion; gRPC does so by itself.",
            failure.Message);
        Assert.Equal(HttpRequestError.VersionNegotiationError, failure.HttpRequestError);
    }

    [Theory]
    [InlineData("http", "1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("https", "1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("http", "2.0", HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData("https", "2.0", HttpVersionPolicy.RequestVersionOrHigher)]
    public async Task A_request_that_may_be_HTTP2_is(string scheme, string version, HttpVersionPolicy policy)
    {
        await using var server = await StartAsync(scheme);
        using var http = new HttpClient(NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address) { Version = Version.Parse(version), VersionPolicy = policy };

        using var response = await http.SendAsync(request).Guarded();

        Assert.Equal((HttpStatusCode.NotFound, HttpVersion.Version20), (response.StatusCode, response.Version));
        Assert.Equal(1, server.Registry.Count);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_plain_client_works(string scheme)
    {
        await using var server = await StartAsync(scheme);
        using var handler = new SocketsHttpHandler();
        _certificates.Trust(handler);
        using var channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { HttpHandler = handler });

        var reply = await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal(("server", 0), (reply.ServedBy, reply.PeerId));
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    // Before it stands what gRPC says of any exception, or nothing.
    private static void AssertFirst(string told, RpcException failure)
    {
        const string Started = "Error starting gRPC call. HttpRequestException: ";
        var detail = failure.Status.Detail;
        Assert.True(failure.StatusCode == StatusCode.Unavailable, failure.ToString());
        Assert.StartsWith(told, detail.StartsWith(Started, StringComparison.Ordinal) ? detail[Started.Length..] : detail, StringComparison.Ordinal);
    }

    private async Task AssertToldAsync(string address, string told) => AssertFirst(told, await FailAsync(address));

    private async Task<RpcException> FailAsync(string address, Action<SocketsHttpHandler>? configure = null)
    {
        using var channel = NewChannel(address, configure);
        return await Assert.ThrowsAsync<RpcException>(() => new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded());
    }

    private GrpcChannel NewChannel(string address, Action<SocketsHttpHandler>? configure = null, Action<GrpcChannelOptions>? options = null, BackchannelHost? host = null)
    {
        var channelOptions = new GrpcChannelOptions { HttpHandler = NewHandler(configure, host), DisposeHttpClient = true };
        options?.Invoke(channelOptions);
        return GrpcChannel.ForAddress(address, channelOptions);
    }

    private HttpMessageHandler NewHandler(Action<SocketsHttpHandler>? configure = null, BackchannelHost? host = null)
    {
        var handler = new SocketsHttpHandler();
        _certificates.Trust(handler);
        configure?.Invoke(handler);
        return handler.UseBackchannel(host ?? _host);
    }

    private Task<TestServer> StartAsync(string scheme)
        => TestServer.StartAsync(scheme == "http" ? TestServer.Cleartext : listen => Secure(listen, hasBackchannel: true));

    private void Secure(ListenOptions listen, bool hasBackchannel)
    {
        listen.UseHttps(_certificates.Server);
        if (hasBackchannel)
        {
            listen.UseBackchannel();
        }
    }
}
