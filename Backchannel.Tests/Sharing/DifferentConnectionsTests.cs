using System.Net;
using System.Net.Sockets;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Backchannel.Tests.Sharing;

/// <summary>Handlers of one host, to one address, that must not have each other's connections.</summary>
public sealed class DifferentConnectionsTests : IAsyncDisposable
{
    private readonly BackchannelHost _host = BackchannelHost.Create(services => services.AddGrpc(), _ => { });
    private readonly List<GrpcChannel> _channels = [];

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _host.DisposeAsync().Guarded();
    }

    [Fact]
    public async Task A_handler_that_believes_any_certificate_lends_none_that_asks_for_the_right_one()
    {
        using var wrong = TestCertificates.Create();
        using var right = TestCertificates.Create();
        await using var impostor = await StartAsync(wrong);
        await using var server = await StartAsync(right);
        var target = impostor;
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> dial = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, new Uri(target.Address).Port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        };
        var lax = Call(new SocketsHttpHandler { ConnectCallback = dial, SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } });
        Assert.Equal(1, await lax());

        target = server;
        var strict = new SocketsHttpHandler { ConnectCallback = dial };
        right.Trust(strict);
        await Call(strict)();

        Assert.Equal((1, 1), (impostor.State.Peers.Count, server.State.Peers.Count));

        Func<Task<long>> Call(SocketsHttpHandler handler) => NewCall("https://localhost:1", handler);
    }

    [Fact]
    public async Task Handlers_that_reach_the_same_certificate_share_whatever_each_asks_of_it()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await StartAsync(certificates);
        var strict = new SocketsHttpHandler();
        certificates.Trust(strict);

        Assert.Equal(1, await NewCall(server.Address, new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } })());
        Assert.Equal(1, await NewCall(server.Address, strict)());
    }

    [Fact]
    public async Task Handlers_with_different_proxies_go_through_their_own()
    {
        await using var server = await TestServer.StartAsync();
        await using var first = new Socks5Proxy();
        await using var second = new Socks5Proxy();

        Assert.Equal(1, await Through(first)());
        Assert.Equal(1, await Through(first)());
        Assert.Equal(2, await Through(second)());
        Assert.Equal(3, await NewCall(server.Address, new SocketsHttpHandler { UseProxy = false })());
        Assert.Equal(3, await NewCall(server.Address, new SocketsHttpHandler { Proxy = new WebProxy(first.Address, BypassOnLocal: true) })());
        Assert.Equal(3, await NewCall(server.Address, new SocketsHttpHandler { Proxy = new WebProxy(second.Address), UseProxy = false })());
        await Guard.Until(() => server.ConnectionCount == 3, "what a handler connected in vain is closed");

        Func<Task<long>> Through(Socks5Proxy proxy) => NewCall(server.Address, new SocketsHttpHandler { Proxy = new WebProxy(proxy.Address) });
    }

    [Fact]
    public async Task A_handler_with_a_filter_of_its_own_has_its_own_connection()
    {
        await using var server = await TestServer.StartAsync();
        var filtered = new SocketsHttpHandler { PlaintextStreamFilter = (context, _) => ValueTask.FromResult(context.PlaintextStream) };

        Assert.Equal(1, await NewCall(server.Address, new SocketsHttpHandler())());
        Assert.Equal(2, await NewCall(server.Address, filtered)());
    }

    [Fact]
    public async Task Two_servers_at_two_ports_are_two_places()
    {
        await using var first = await TestServer.StartAsync();
        await using var second = await TestServer.StartAsync();

        await NewCall(first.Address, new SocketsHttpHandler())();
        await NewCall(second.Address, new SocketsHttpHandler())();
        await NewCall(first.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), new SocketsHttpHandler())();

        Assert.Equal((2, 1), (first.Registry.Count, second.Registry.Count));
    }

    [Fact]
    public async Task A_handler_that_connects_in_its_own_way_has_its_own_connection()
    {
        await using var server = await TestServer.StartAsync();
        var link = new FrozenLink();

        Assert.Equal(1, await NewCall(server.Address, new SocketsHttpHandler())());
        Assert.Equal(2, await NewCall(server.Address, new SocketsHttpHandler { ConnectCallback = link.ConnectAsync })());
    }

    [Fact]
    public async Task A_handler_with_another_protection_has_its_own_connection()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await StartAsync(certificates);
        var older = New(certificates);
        older.SslOptions.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12;

        Assert.Equal(1, await NewCall(server.Address, New(certificates))());
        Assert.Equal(2, await NewCall(server.Address, older)());
        Assert.Equal(1, await NewCall(server.Address, New(certificates))());
    }

    [Fact]
    public async Task Requests_to_another_name_at_the_same_address_have_their_own_connection()
    {
        using var certificates = TestCertificates.Create();
        await using var server = await StartAsync(certificates);
        using var http = new HttpClient(New(certificates).UseBackchannel(_host));

        foreach (var name in (string?[])[null, "localhost", null])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.Address) { Version = HttpVersion.Version20, Headers = { Host = name } };
            using var response = await http.SendAsync(request).Guarded();
        }

        Assert.Equal(2, server.Registry.Count);
    }

    private static SocketsHttpHandler New(TestCertificates certificates)
    {
        var handler = new SocketsHttpHandler();
        certificates.Trust(handler);
        return handler;
    }

    private static Task<TestServer> StartAsync(TestCertificates certificates)
        => TestServer.StartAsync(listen => listen.UseHttps(certificates.Server).UseBackchannel());

    // As which peer the server sees it.
    private Func<Task<long>> NewCall(string address, SocketsHttpHandler handler)
    {
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler.UseBackchannel(_host), DisposeHttpClient = true });
        _channels.Add(channel);
        return async () => (await new Tester.TesterClient(channel).UnaryAsync(new Request()).ResponseAsync.Guarded()).PeerId;
    }
}
