using Backchannel.Tests.Authority;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Xunit;
using Yamux;

namespace Backchannel.Tests.Sharing;

/// <summary>What ends one HTTP/2 connection of a client's ends no other of its connection.</summary>
public class SeparateEndsTests
{
    private static readonly byte[] Broken = Http2Frames.Frame(Http2Frames.Settings, 0, 0, [1, 2, 3]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broken_HTTP2_connection_leaves_the_other_alone(bool firstIsBroken)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        var first = new RawHttp2(await client.First.Guarded());
        var second = new RawHttp2(await client.Session.OpenStreamAsync().Guarded());
        var (broken, other) = firstIsBroken ? (first, second) : (second, first);
        await Task.WhenAll(first.SendAsync(Http2Frames.Opening), second.SendAsync(Http2Frames.Opening));
        Assert.Equal(new Answer(""), await other.CallAsync(1, Request(1)));

        await broken.SendAsync(Broken);

        Assert.Equal(6, (await broken.AnswersAsync()).GoAway); // FRAME_SIZE_ERROR, and the end.
        Assert.Equal(new Answer(""), await other.CallAsync(3, Request(3)));
        Assert.Equal(1, server.Registry.Count);
    }

    [Fact]
    public async Task What_middleware_behind_the_backchannel_aborts_and_reads_is_one_HTTP2_connection()
    {
        var inner = new List<ConnectionContext>();
        ConnectionContext? outer = null;
        await using var server = await TestServer.StartAsync(listen =>
        {
            listen.Use(next => connection =>
            {
                connection.Items["mine"] = connection;
                outer = connection;
                return next(connection);
            });
            TestServer.Cleartext(listen);
            listen.Use(next => connection =>
            {
                lock (inner)
                {
                    inner.Add(connection);
                }

                return next(connection);
            });
        });
        await using var client = new RawClient(server);
        var first = new RawHttp2(await client.First.Guarded());
        await first.SendAsync(Http2Frames.Opening);
        Assert.Equal(new Answer(""), await first.CallAsync(1, Request(1)));
        var second = new RawHttp2(await client.Session.OpenStreamAsync().Guarded());
        await second.SendAsync(Http2Frames.Opening);
        Assert.Equal(new Answer(""), await second.CallAsync(1, Request(1)));

        Assert.All(inner, connection =>
        {
            Assert.Same(outer, connection.Items["mine"]);
            Assert.Equal((outer!.RemoteEndPoint, outer.LocalEndPoint), (connection.RemoteEndPoint, connection.LocalEndPoint));
            Assert.Same(connection.Transport, connection.Features.Get<IConnectionTransportFeature>()?.Transport);
            Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        });
        inner[0].Items["its own"] = 1;
        Assert.All([outer!, inner[1]], connection => Assert.False(connection.Items.ContainsKey("its own")));
        Assert.Equal(outer!.ConnectionId, inner[0].ConnectionId);
        Assert.NotEqual(outer.ConnectionId, inner[1].ConnectionId);
        inner[1].Features.Get<IConnectionLifetimeFeature>()!.Abort();
        Assert.Equal(new Answer(null), await AnswerOrEndAsync(second));
        await Guard.Until(() => inner[1].ConnectionClosed.IsCancellationRequested, "the aborted one is closed");
        Assert.Equal(new Answer(""), await first.CallAsync(3, Request(3)));
        inner[0].Abort(new ConnectionAbortedException("test"));
        Assert.Equal(new Answer(null), await AnswerOrEndAsync(first));

        static async Task<Answer> AnswerOrEndAsync(RawHttp2 connection)
        {
            try
            {
                return await connection.AnswerAsync(99);
            }
            catch (YamuxException)
            {
                return new Answer(null);
            }
        }
    }

    [Fact]
    public async Task A_connection_whose_client_has_closed_its_last_stream_ends()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        var stream = await client.First.Guarded();
        var first = new RawHttp2(stream);
        await first.SendAsync(Http2Frames.Opening, Broken);
        Assert.Equal(6, (await first.AnswersAsync()).GoAway);
        Assert.Equal(1, server.Registry.Count); // The client may be about to open another.

        await stream.DisposeAsync().Guarded();

        await client.Session.Completion.Guarded();

        await Guard.Until(() => (server.Registry.Count, server.ConnectionCount) == (0, 0), "nothing is left");
    }

    [Fact]
    public async Task An_HTTP2_connection_that_comes_when_the_clients_last_has_ended_is_told_to_go_elsewhere()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new RawClient(server);
        var stream = await client.First.Guarded();
        var first = new RawHttp2(stream);
        await first.SendAsync(Http2Frames.Opening);
        Assert.Equal(new Answer(""), await first.CallAsync(1, Request(1)));
        var call = new Tester.TesterClient(Assert.Single(server.Registry.Peers).Invoker).UnaryAsync(new Request()).ResponseAsync;
        var called = await client.Session.AcceptStreamAsync().Guarded(); // Which keeps the connection.
        await stream.DisposeAsync().Guarded();
        await Guard.Until(() => server.Registry.Count == 0, "the peer takes no further calls");

        var second = new RawHttp2(await client.Session.OpenStreamAsync().Guarded());
        await second.SendAsync(Http2Frames.Opening);

        Assert.Equal(0, (await second.AnswersAsync()).GoAway); // NO_ERROR, and the end.
        Assert.False(call.IsCompleted);
        called!.Abort();
        await CallsBothWays.AssertUnavailableAsync(call);
    }

    private static byte[] Request(int stream) => Http2Frames.Request(stream, new HpackWriter().Request().ToArray());
}
