using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace Backchannel.Tests.Proxies;

/// <summary>Clients behind a firewall reach the server through a proxy, and are called back through it.</summary>
public sealed class ProxiedConnectionTests : ProxiedTests
{
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
        await using var proxy = new ConnectProxy(Certificates.Server);
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
}
