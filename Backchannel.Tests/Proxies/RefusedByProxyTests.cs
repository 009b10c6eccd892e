using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Xunit;

namespace Backchannel.Tests.Proxies;

/// <summary>What keeps a client from its server through a proxy is named, and nothing past the proxy is tried.</summary>
public sealed class RefusedByProxyTests : ProxiedTests
{
    private static readonly NetworkCredential Wrong = new("agent", "guessed");

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
        await using var proxy = new ConnectProxy(Certificates.Server);
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
    public async Task Cleartext_HTTP2_through_an_HTTP_proxy_fails_at_once()
    {
        await using var server = await TestServer.StartAsync();
        await using var proxy = new ConnectProxy();
        await using var client = NewClient(server, new WebProxy(proxy.Address));

        var error = await Assert.ThrowsAsync<RpcException>(() => client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded());

        Assert.Contains($"{server.Address} is to be reached through an HTTP proxy (SocketsHttpHandler.Proxy, or HTTP_PROXY in the environment), which carries only https:// addresses.", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, proxy.ConnectionCount);
    }

    // Nobody listens there, nor will.
    private static Socket TakePort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
