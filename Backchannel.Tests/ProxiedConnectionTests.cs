using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests;

/// <summary>Clients behind a firewall reach the server through a proxy, and are called back through it.</summary>
public sealed class ProxiedConnectionTests : IDisposable
{
    private static readonly NetworkCredential Right = new("agent", "s3cret");
    private static readonly NetworkCredential Wrong = new("agent", "guessed");

    private readonly TestCertificates _certificates = TestCertificates.Create();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task A_client_behind_a_proxy_calls_and_is_called_back()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address));

        await AssertCalledBackAsync(client);

        Assert.Equal((1, 1), (proxy.ConnectionCount, proxy.TunnelCount));
        client.CloseChannel();
        await Guard.Until(() => proxy.OpenCount == 0, "the connection to the proxy is closed");
        server.Log.AssertNoErrors();
        client.Log.AssertNoErrors();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Credentials_open_a_proxy_that_asks_for_them(bool closesAfterChallenge)
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { Credentials = Right, ClosesAfterChallenge = closesAfterChallenge };
        await using var client = NewClient(server, new WebProxy(proxy.Address) { Credentials = Right });

        await AssertCalledBackAsync(client);

        Assert.Equal((1, 1), (proxy.ChallengeCount, proxy.TunnelCount));
        Assert.Equal(closesAfterChallenge ? 2 : 1, proxy.ConnectionCount);
    }

    [Fact]
    public async Task Two_users_of_a_proxy_do_not_share_a_tunnel()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy();
        await using var host = NewHost();
        var channels = new List<GrpcChannel>();
        foreach (var user in (string[])["first", "second", "first"])
        {
            var handler = NewHandler(new WebProxy(proxy.Address) { Credentials = new NetworkCredential(user, "secret") });
            var channel = NewChannel(server.Address, handler.UseBackchannel(host));
            channels.Add(channel);
            await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();
        }

        Assert.Equal(2, server.Registry.Count);
        channels.ForEach(channel => channel.Dispose());
    }

    [Fact]
    public async Task A_proxy_is_reached_over_TLS()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy(_certificates.Server);
        await using var client = NewClient(server, new WebProxy(proxy.Address));

        await AssertCalledBackAsync(client);

        Assert.Equal(1, proxy.TunnelCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_SOCKS_proxy_takes_TLS_and_cleartext(bool cleartext)
    {
        await using var server = cleartext ? await TestServer.StartAsync() : await StartAsync();
        await using var proxy = new Socks5Proxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address));

        await AssertCalledBackAsync(client);

        Assert.Equal(1, proxy.TunnelCount);
    }

    [Fact]
    public async Task A_filter_that_the_handler_has_sees_the_connection_to_the_proxy_too()
    {
        var seen = new List<(HttpMethod, Version)>();
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address), handler => handler.PlaintextStreamFilter = (context, _) =>
        {
            seen.Add((context.InitialRequestMessage.Method, context.NegotiatedHttpVersion));
            return ValueTask.FromResult(context.PlaintextStream);
        });

        await AssertCalledBackAsync(client);

        Assert.Equal([(HttpMethod.Connect, HttpVersion.Version11), (HttpMethod.Post, HttpVersion.Version20)], seen);
    }

    [Fact]
    public async Task A_request_of_HTTP1_is_refused_through_a_proxy_as_well()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy();
        await using var host = NewHost();
        using var http = new HttpClient(NewHandler(new WebProxy(proxy.Address)).UseBackchannel(host));

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri(server.Address)).Guarded());

        Assert.Contains("A backchannel needs HTTP/2", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loss_of_the_tunnel_is_Unavailable_and_the_next_call_connects_again()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address));
        var call = client.Tester.UnaryAsync(new Request { Hang = true });
        await server.State.Hanging.Guarded();

        proxy.CutTunnels();

        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Guarded())).StatusCode);
        await AssertCalledBackAsync(client);
        Assert.Equal(2, proxy.TunnelCount);
    }

    [Fact]
    public void What_is_done_with_a_connection_to_a_proxy_closes_it()
    {
        var inner = new MemoryStream();
        using var request = new HttpRequestMessage();

        new ProxyStream(inner, request, () => false).Dispose();

        Assert.False(inner.CanRead);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, false)]
    [InlineData(HttpStatusCode.BadGateway, false)]
    [InlineData(HttpStatusCode.ServiceUnavailable, true)]
    public async Task A_proxy_that_refuses_is_named_with_its_status(HttpStatusCode status, bool inPieces)
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { RefusesWith = status, AnswersInPieces = inPieces };

        await AssertFailsAsync(server, new WebProxy(proxy.Address), $"HttpRequestException: The proxy http://{proxy.Address.Authority} opens no tunnel to {new Uri(server.Address).Authority}: it answered {(int)status}.");
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", false)]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", true)]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n", false)]
    public async Task What_a_proxy_says_before_its_answer_is_passed_over(string interim, bool inPieces)
    {
        await using var server = await StartAsync();
        await using var open = new ConnectProxy { Interim = interim, Credentials = Right };
        await using var client = NewClient(server, new WebProxy(open.Address) { Credentials = Right });
        await using var closed = new ConnectProxy { Interim = interim, RefusesWith = HttpStatusCode.Forbidden, AnswersInPieces = inPieces };

        await AssertCalledBackAsync(client);
        await AssertFailsAsync(server, new WebProxy(closed.Address), "it answered 403.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Wrong_credentials_are_refused_and_not_tried_again(bool closesAfterChallenge)
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { Credentials = Right, ClosesAfterChallenge = closesAfterChallenge };

        await AssertFailsAsync(server, new WebProxy(proxy.Address) { Credentials = Wrong }, "it answered 407 to the credentials of handler.Proxy.");

        Assert.Equal((2, 0), (proxy.ChallengeCount, proxy.TunnelCount));
    }

    [Theory]
    [InlineData("Digest realm=\"test\", nonce=\"1\", qop=\"auth\"")]
    [InlineData("Bearer")]
    [InlineData("")]
    public async Task Credentials_of_a_scheme_that_does_not_open_the_proxy_are_refused(string challenge)
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { Credentials = Right, Challenge = challenge };

        await AssertFailsAsync(server, new WebProxy(proxy.Address) { Credentials = Right }, $"HttpRequestException: The proxy http://{proxy.Address.Authority} opens no tunnel to {server.Address}: ", "407");
    }

    [Fact]
    public async Task Missing_credentials_are_refused()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { Credentials = Right };

        await AssertFailsAsync(server, new WebProxy(proxy.Address), "it answered 407, and there are no credentials for it.");
    }

    [Fact]
    public async Task A_proxy_that_is_down_is_named()
    {
        await using var server = await StartAsync();
        using var nobody = TakePort();

        await AssertFailsAsync(server, new WebProxy($"http://{nobody.LocalEndPoint}"), $"HttpRequestException: The proxy http://{nobody.LocalEndPoint} of {server.Address} is not to be reached: ", "refused");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP, its answer begins with octet 83.")]
    [InlineData("\u0015\u0003\u0001\0\u0002\u0002\u0046", "it does not speak HTTP, its answer begins with octet 21.")]
    [InlineData("HTTP/1.", "it took the connection, and closed it before it had answered.")]
    [InlineData("", "it took the connection, and closed it before it had answered.")]
    public async Task A_proxy_that_does_not_speak_HTTP_is_named(string answer, string why)
    {
        await using var server = await StartAsync();
        await using var strange = new StrangeServer(System.Text.Encoding.Latin1.GetBytes(answer), closes: true);

        await AssertFailsAsync(server, new WebProxy(strange.Address("http")), $"HttpRequestException: The proxy {strange.Address("http")} opens no tunnel to {new Uri(server.Address).Authority}: {why}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_proxy_without_the_TLS_that_its_address_names_is_told_of_as_the_proxy(bool answers)
    {
        await using var server = await StartAsync();
        await using var strange = new StrangeServer(answers ? "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray() : [], closes: true);

        await AssertFailsAsync(server, new WebProxy(strange.Address("https")), $"HttpRequestException: The proxy {strange.Address("https")} ", "the proxy's address must begin with http://.");
    }

    [Fact]
    public async Task A_proxy_whose_certificate_is_not_trusted_is_named_beside_the_server()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy(_certificates.Server);
        await using var client = new TestClient(server, configure: handler => handler.Proxy = new WebProxy(proxy.Address));

        await CallsBothWays.AssertUnavailableAsync(
            client.Tester.UnaryAsync(new Request()).ResponseAsync,
            $"HttpRequestException: The TLS handshake with {server.Address}, or with its proxy https://{proxy.Address.Authority}, failed: The remote certificate is invalid");
    }

    [Fact]
    public async Task A_proxy_that_does_not_answer_is_named()
    {
        await using var server = await StartAsync();
        await using var silent = new StrangeServer([]);
        await using var client = NewClient(server, new WebProxy(silent.Address("http")), handler => handler.ConnectTimeout = TimeSpan.FromMilliseconds(100));

        await CallsBothWays.AssertUnavailableAsync(
            client.Tester.UnaryAsync(new Request()).ResponseAsync, $"HttpRequestException: No connection to {server.Address}, by way of the proxy {silent.Address("http")}, within 0.1 s");
    }

    [Fact]
    public async Task A_proxy_of_whom_nobody_can_tell_whether_it_is_to_be_used_is_not_used()
    {
        await using var server = await StartAsync();
        await using var client = new TestClient(server, configure: handler =>
        {
            handler.Proxy = new BrokenProxy();
            Trust(handler);
        });

        await AssertCalledBackAsync(client);
    }

    [Fact]
    public async Task What_ends_after_a_challenge_is_for_the_HTTP_client()
    {
        using var request = new HttpRequestMessage();
        await using var stream = new ProxyStream(new MemoryStream("HTTP/1.1 407 Who are you?\r\n\r\n"u8.ToArray()), request, () => true);

        using var reader = new StreamReader(stream);

        Assert.Equal("HTTP/1.1 407 Who are you?\r\n\r\n", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("bypassed")]
    [InlineData("unused")]
    [InlineData("broken")]
    public async Task A_proxy_that_is_not_used_is_not_blamed(string kind)
    {
        await using var server = await StartAsync();
        using var nobody = TakePort();
        await using var client = new TestClient(server, address: $"https://{nobody.LocalEndPoint}", configure: handler =>
        {
            handler.UseProxy = kind != "unused";
            handler.Proxy = kind switch
            {
                "none" => new WebProxy(),
                "bypassed" => new WebProxy("http://127.0.0.1:9", BypassOnLocal: true),
                "broken" => new BrokenProxy(),
                _ => new WebProxy("http://127.0.0.1:9"),
            };
        });

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.StartsWith($"Error starting gRPC call. HttpRequestException: Connection refused ({nobody.LocalEndPoint})", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_that_stands_in_a_proxys_address_is_told_to_nobody()
    {
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { RefusesWith = HttpStatusCode.Forbidden };
        await using var asking = new ConnectProxy { Credentials = Right, Challenge = "Digest realm=\"test\", nonce=\"1\", qop=\"auth\"" };
        using var nobody = TakePort();
        foreach (var address in (string[])[proxy.Address.Authority, asking.Address.Authority, nobody.LocalEndPoint!.ToString()!])
        {
            await using var client = NewClient(server, new WebProxy($"http://agent:s3cret@{address}") { Credentials = Right });

            var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

            Assert.Contains($"The proxy http://{address} ", error.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_port_without_TLS_behind_a_proxy_is_named(bool socks)
    {
        await using var server = await TestServer.StartAsync();
        await using LoopbackProxy proxy = socks ? new Socks5Proxy() : new ConnectProxy();
        var address = server.Address.Replace("http://", "https://", StringComparison.Ordinal);
        await using var client = new TestClient(
            server, configure: handler => handler.Proxy = new WebProxy(proxy is Socks5Proxy s ? s.Address : ((ConnectProxy)proxy).Address), address: address);

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains($"HttpRequestException: The TLS handshake with {address} through the proxy {(socks ? "socks5" : "http")}://", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("If it speaks no TLS, the address must begin with http://", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_address_for_the_balancer_is_refused_when_the_channel_is_made(bool behindProxy)
    {
        await using var proxy = new ConnectProxy();
        await using var host = NewHost();
        using var handler = NewHandler(behindProxy ? new WebProxy(proxy.Address) : new WebProxy()).UseBackchannel(host);

        var error = Assert.Throws<InvalidOperationException>(() => NewChannel("dns:///localhost:5001", handler));

        Assert.Contains("client-side load balancing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_direct_way_to_the_server_is_never_tried()
    {
        // Nobody listens there: what went past the proxy would be refused.
        using var blocked = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        blocked.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var server = await StartAsync();
        await using var proxy = new ConnectProxy { Target = new Uri(server.Address).Port };
        await using var host = NewHost();
        using var channel = NewChannel($"https://{blocked.LocalEndPoint}", NewHandler(new WebProxy(proxy.Address)).UseBackchannel(host));

        var reply = await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded();

        Assert.Equal("server", reply.ServedBy);
    }

    [Fact]
    public async Task Cleartext_HTTP2_through_an_HTTP_proxy_fails_at_once()
    {
        await using var server = await TestServer.StartAsync();
        await using var proxy = new ConnectProxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address));

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Contains($"{server.Address} is to be reached through an HTTP proxy (SocketsHttpHandler.Proxy, or HTTP_PROXY in the environment), which carries https:// addresses alone.", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, proxy.ConnectionCount);
    }

    // Nobody listens there, nor will.
    private static Socket TakePort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(listen => listen.UseHttps(_certificates.Server).UseBackchannel());

    private TestClient NewClient(TestServer server, WebProxy proxy, Action<SocketsHttpHandler>? configure = null) => new(server, configure: handler =>
    {
        handler.Proxy = proxy;
        Trust(handler);
        configure?.Invoke(handler);
    });

    private SocketsHttpHandler NewHandler(WebProxy proxy)
    {
        var handler = new SocketsHttpHandler { Proxy = proxy };
        Trust(handler);
        return handler;
    }

    private static GrpcChannel NewChannel(string address, HttpMessageHandler handler) => GrpcChannel.ForAddress(
        address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, Credentials = ChannelCredentials.SecureSsl });

    private static BackchannelHost NewHost() => BackchannelHost.Create(services => services.AddGrpc(), _ => { });

    private void Trust(SocketsHttpHandler handler) => handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _certificates.Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private async Task AssertFailsAsync(TestServer server, WebProxy proxy, params string[] said)
    {
        await using var client = NewClient(server, proxy);

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.All(said, part => Assert.Contains(part, error.Status.Detail, StringComparison.Ordinal));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    private static Task AssertCalledBackAsync(TestClient client) => AssertCalledBackAsync(client.Tester);

    private static async Task AssertCalledBackAsync(Tester.TesterClient tester)
    {
        var reply = await tester.UnaryAsync(new Request { CallBack = new Request() }).ResponseAsync.Guarded();
        Assert.Equal("client", reply.ServedBy);
    }

    private sealed class BrokenProxy : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => throw new InvalidOperationException("broken");

        public bool IsBypassed(Uri host) => throw new InvalidOperationException("broken");
    }
}
