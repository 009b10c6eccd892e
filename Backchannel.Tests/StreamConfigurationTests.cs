using System.Text;
using Backchannel.Tests.Grpc;
using Backchannel.Tests.Kit;
using ListenMux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
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
        await using var stream = await client.Session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("something else"u8.ToArray());
        Assert.Equal(
            YamuxErrorCode.StreamReset, (await Assert.ThrowsAsync<YamuxException>(() => stream.AsStream().ReadAsync(new byte[1]).AsTask().Guarded())).ErrorCode);
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

    private static async Task AssertEchoAsync(YamuxSession session)
    {
        var stream = await session.OpenStreamAsync().Guarded();
        await stream.AsStream().WriteAsync("hello there, echo"u8.ToArray());
        await stream.Output.CompleteAsync();
        using var reader = new StreamReader(stream.AsStream(), Encoding.ASCII);
        Assert.Equal(", echo", await reader.ReadToEndAsync().Guarded());
    }
}
