using System.Collections.Concurrent;
using System.Text;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using ListenMux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sidechannel;
using Xunit;
using Yamux;

namespace Backchannel.Tests;

/// <summary>Streams that carry something else than gRPC, told apart by a mux of their own.</summary>
public class StreamConfigurationTests
{
    [Fact]
    public async Task A_mux_on_the_streams_that_the_server_opens_leaves_gRPC_alone()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, options: options => options.ConfigureStreams = streams => streams.UseListenMux(mux => mux.Map("hello there"u8, EchoAsync)));
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.State.Peers);

        Assert.Equal("client", (await new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
        await AssertEchoAsync(peer.Session);
    }

    [Fact]
    public async Task A_server_serves_the_streams_that_its_clients_open_beside_the_first()
    {
        await using var server = await StartAsync(streams => streams.UseListenMux(mux => mux.Map("hello there"u8, EchoAsync)));
        await using var client = new RawClient(server);

        await AssertEchoAsync(client.Session);
        await AssertHttp2Async(client.Session);
    }

    [Fact]
    public async Task What_fails_on_a_stream_is_logged_and_ends_that_stream_alone()
    {
        await using var server = await StartAsync(streams => streams.Use(_ => _ => throw new FormatException()));
        await using var client = new RawClient(server);

        await using var stream = await client.Session.OpenStreamAsync().Guarded();
        Assert.Equal(
            YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => stream.AsStream().ReadAsync(new byte[1]).AsTask().Guarded())).ErrorCode);

        Assert.Contains(server.Log.Lines, line => line.Event.Name == "StreamFailed");
        await client.Session.PingAsync().Guarded();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_has_its_own_streams_and_sidechannels_whichever_is_set_first(bool sidechannelsFirst)
    {
        var sidechannels = new SidechannelRegistry();
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, options: options =>
        {
            if (sidechannelsFirst)
            {
                options.UseSidechannels(sidechannels);
            }

            options.ConfigureStreams = EchoHello;
            if (!sidechannelsFirst)
            {
                options.UseSidechannels(sidechannels);
            }
        });
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        var peer = Assert.Single(server.State.Peers);

        await AssertEchoAsync(peer.Session);
        await AssertSidechannelAsync(sidechannels, peer.Session, session: null);
        Assert.Equal("client", (await new Tester.TesterClient(peer.Invoker).UnaryAsync(new Request()).ResponseAsync.Guarded()).ServedBy);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_has_its_own_streams_and_sidechannels_whichever_is_set_first(bool sidechannelsFirst)
    {
        var sidechannels = new SidechannelRegistry();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            if (sidechannelsFirst)
            {
                options.UseSidechannels(sidechannels);
            }

            options.ConfigureStreams = EchoHello;
            if (!sidechannelsFirst)
            {
                options.UseSidechannels(sidechannels);
            }
        });
        await using var client = new RawClient(server);
        await client.First.Guarded();
        await Guard.Until(() => server.Registry.Count == 1, "the client is a peer");

        await AssertEchoAsync(client.Session);
        await AssertSidechannelAsync(sidechannels, client.Session, Assert.Single(server.Registry.Peers).Session);
    }

    [Fact]
    public async Task What_is_added_stands_in_front_of_what_is_configured_in_the_order_in_which_it_was_added()
    {
        var asked = new ConcurrentQueue<string>();
        await using var server = await TestServer.StartAsync(options: options =>
        {
            options.ConfigureStreams = streams => Ask(streams, "configured");
            options.AddStreams(streams => Ask(streams, "added first"));
            options.AddStreams(streams => Ask(streams, "added second"));
            options.Yamux.AcceptBacklog = 256;
        });
        await using var client = new RawClient(server);

        await client.First.Guarded();
        await AssertHttp2Async(client.Session);

        Assert.Equal(["added first", "added second", "configured"], asked);

        void Ask(IConnectionBuilder streams, string name) => streams.Use(next => connection =>
        {
            asked.Enqueue(name);
            return next(connection);
        });
    }

    [Fact]
    public async Task A_stream_that_does_not_say_what_it_is_is_given_up_by_the_clock_of_the_session()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var server = await TestServer.StartAsync();
        await using var client = new TestClient(server, options: options =>
        {
            options.Yamux.TimeProvider = time;
            options.Yamux.ConnectionWriteTimeout = TimeSpan.FromDays(1); // The session's own limits stay out of it.
            options.AddStreams(streams => streams.Use(next => connection =>
            {
                var serving = next(connection);
                asked.SetResult();
                return serving;
            }));
            options.UseSidechannels(new SidechannelRegistry());
        });
        await client.Tester.UnaryAsync(new Request()).ResponseAsync.Guarded();
        await using var stream = await Assert.Single(server.State.Peers).Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("sidechanne"u8.ToArray());
        await asked.Task.Guarded();

        time.Advance(TimeSpan.FromSeconds(120));

        await Guard.Until(() => client.Log.Lines.Any(line => line.Event.Name == "HandshakeTimedOut"), "the client gives it up");
    }

    [Fact]
    public void Nothing_is_no_middleware()
    {
        Assert.Throws<ArgumentNullException>(() => new BackchannelServerOptions().AddStreams(null!));
        Assert.Throws<ArgumentNullException>(() => new BackchannelHostOptions().AddStreams(null!));
    }

    [Theory]
    [InlineData(null, 256)]
    [InlineData(1, 1)]
    [InlineData(1000, 1000)]
    public void Sidechannels_leave_the_accept_backlog_as_it_is(int? set, int expected)
    {
        var options = new BackchannelServerOptions();
        options.Yamux.AcceptBacklog = set ?? options.Yamux.AcceptBacklog;

        options.UseSidechannels(new SidechannelRegistry());

        Assert.Equal(expected, options.Yamux.AcceptBacklog);
    }

    private static void EchoHello(IConnectionBuilder streams) => streams.UseListenMux(mux => mux.Map("hello there"u8, EchoAsync));

    // The one who offers it names the session, where it must.
    private static async Task AssertSidechannelAsync(SidechannelRegistry registry, YamuxSession opener, YamuxSession? session)
    {
        var waiter = registry.Register((channel, ct) => channel.WriteAsync("offered"u8.ToArray(), ct).AsTask(), session);
        await using (var channel = await opener.OpenSidechannelAsync(waiter.Id).Guarded())
        {
            using var reader = new StreamReader(channel, Encoding.ASCII);
            Assert.Equal("offered", await reader.ReadToEndAsync().Guarded());
        }

        await waiter.WaitAsync().Guarded();
    }

    private static Task<TestServer> StartAsync(Action<IConnectionBuilder> streams) => TestServer.StartAsync(options: options =>
    {
        options.ConfigureStreams = streams;
        options.Yamux.AcceptBacklog = 256; // Streams may come before the first is accepted.
    });

    private static async Task EchoAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        Assert.NotNull(connection.Features.Get<IYamuxStreamFeature>());
        await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
        await connection.Transport.Output.CompleteAsync();
    }

    // What nobody else serves is a further HTTP/2 connection.
    private static async Task AssertHttp2Async(YamuxSession session)
    {
        await using var stream = await session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
        var header = new byte[9];
        await stream.AsStream().ReadExactlyAsync(header).Guarded();
        Assert.Equal(4, header[3]); // SETTINGS.
    }

    private static async Task AssertEchoAsync(YamuxSession session)
    {
        var stream = await session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("hello there, echo"u8.ToArray());
        await stream.Output.CompleteAsync();
        using var reader = new StreamReader(stream.AsStream(), Encoding.ASCII);
        Assert.Equal(", echo", await reader.ReadToEndAsync().Guarded());
    }
}
