using System.Net;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace Backchannel.Tests;

/// <summary>What a call says first when the other end has not answered at all: what it means, and what to do, before what the HTTP client thinks of it.</summary>
public class StatusDetailTests
{
    private const string NoBackchannel = "The server speaks HTTP/2 without a backchannel: its endpoint must call listen.UseBackchannel().";

    [Theory]
    [InlineData("unary")]
    [InlineData("client streaming")]
    [InlineData("duplex")]
    public async Task A_server_without_a_backchannel(string kind)
    {
        await using var server = await TestServer.StartAsync(listen => listen.Protocols = HttpProtocols.Http2);
        await using var client = new TestClient(server);

        for (var i = 0; i < 3; i++)
        {
            await AssertSaysAsync(NoBackchannel, () => CallAsync(client.Tester, kind));
        }

        await Guard.Until(() => client.Host.ConnectionCount == 0, "nothing is left");
    }

    [Fact]
    public async Task Calls_that_come_together_are_all_told()
    {
        await using var server = await TestServer.StartAsync(options: options => options.OnConnecting = context =>
        {
            context.Refuse("nobody");
            return default;
        });
        await using var client = new TestClient(server);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => AssertSaysAsync("The server took the connection and closed it without an answer.", () => CallAsync(client.Tester, "unary"))));
    }

    [Fact]
    public async Task A_server_that_takes_no_further_HTTP2_connection()
    {
        await using var server = await TestServer.StartAsync(options: options => options.MaxHttpConnectionsPerPeer = 1);
        await using var client = new TestClient(server);
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        using var second = client.NewChannel();

        await AssertSaysAsync(
            "The server takes no further HTTP/2 connection over the backchannel's connection: it has as many as it allows (BackchannelServerOptions.MaxHttpConnectionsPerPeer)",
            () => CallAsync(new Tester.TesterClient(second), "unary"));
    }

    [Fact]
    public async Task A_client_that_does_not_serve_the_backchannel()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        await client.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 1, "the peer is there");
        var call = AssertSaysAsync(
            "The client ended the connection of the call instead of answering. Does it serve the backchannel (handler.UseBackchannel(host)), or has it gone?",
            () => CallAsync(new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker), "unary"));

        (await client.Session.AcceptStreamAsync().Guarded())!.Abort();

        await call;
    }

    [Fact]
    public async Task A_request_that_is_not_gRPCs_is_answered_503()
    {
        await using var server = await TestServer.StartAsync(listen => listen.Protocols = HttpProtocols.Http2);
        await using var client = new TestClient(server);
        using var http = new HttpClient(new SocketsHttpHandler().UseBackchannel(client.Host))
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var post = await http.PostAsync(new Uri(server.Address), new ByteArrayContent(new byte[1_000_000])).Guarded();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, post.StatusCode);
        Assert.StartsWith(NoBackchannel, Uri.UnescapeDataString(Assert.Single(post.Headers.GetValues("grpc-message"))), StringComparison.Ordinal);
    }

    private static async Task CallAsync(Tester.TesterClient tester, string kind)
    {
        switch (kind)
        {
            case "unary":
                await tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
                break;
            case "client streaming":
                using (var call = tester.ClientStream())
                {
                    await call.ResponseAsync.Guarded();
                }

                break;
            default:
                using (var call = tester.Duplex())
                {
                    await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).Guarded();
                }

                break;
        }
    }

    private static async Task AssertSaysAsync(string first, Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.StartsWith(first, failure.Status.Detail, StringComparison.Ordinal);
    }
}
