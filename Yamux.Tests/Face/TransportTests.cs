using System.Net.Sockets;

namespace Yamux.Tests.Face;

/// <summary>Sessions over streams: real sockets among them, which lose nothing when a session closes.</summary>
public class TransportTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64 * 1024)]
    public async Task Streams_that_give_and_take_a_few_bytes_at_a_time(int size)
    {
        var (first, second) = await Loopback.ConnectAsync();
        await using var pair = SessionPair.OverStreams(new TrickleStream(first, size), new TrickleStream(second, size));
        var data = Bytes.Pattern(20_000);

        foreach (var (client, server) in await pair.OpenAsync(3))
        {
            var write = client.AsStream().WriteAsync(data).AsTask();
            var echo = server.Input.CopyToAsync(server.Output);
            Bytes.AssertSame(data, await client.Input.TakeAsync(data.Length));
            await write.Guarded();
            await client.DisposeAsync().Guarded();
            await echo.Guarded();
            await server.DisposeAsync().Guarded();
        }
    }

    [Fact]
    public async Task Disposing_over_a_socket_loses_nothing_though_the_peer_was_still_sending()
    {
        for (var round = 0; round < 10; round++)
        {
            var (first, second) = await Loopback.ConnectAsync();
            await using var pair = SessionPair.OverStreams(first, second);
            var streams = await pair.OpenAsync(4);
            var data = Bytes.Pattern(200_000, round);
            var received = streams.Select(both => both.Server.Input.TakeAllAsync()).ToArray();
            foreach (var (client, server) in streams)
            {
                // Nobody reads this: a socket that is closed with it in its buffer resets the connection.
                await server.Output.WriteAsync(data).Guarded();
                await client.Output.WriteAsync(data).Guarded();
                await client.Output.CompleteAsync();
            }

            await pair.Client.DisposeAsync().Guarded();

            foreach (var bytes in await Task.WhenAll(received))
            {
                Bytes.AssertSame(data, bytes);
            }

            await pair.Server.Completion.Guarded();
        }
    }

    [Fact]
    public async Task GoAway_1_arrives_over_a_socket_though_the_peer_was_still_sending()
    {
        for (var round = 0; round < 10; round++)
        {
            var (first, second) = await Loopback.ConnectAsync();
            await using var session = YamuxSession.Create(first, YamuxRole.Server, new YamuxOptions { TimeProvider = new TestTime() });
            var bad = Frame.Credit(0, 1).ToBytes();

            await second.WriteAsync(bad.Concat(new byte[1_000_000]).ToArray()).Guarded();

            var answer = new byte[12];
            await second.ReadExactlyAsync(answer).Guarded();
            Assert.Equal(Frame.GoAway(1), Frame.Parse(answer));
            Assert.Equal(0, await second.ReadAsync(answer).Guarded());
            await second.DisposeAsync();
            await Guard.FailsWithAsync(YamuxErrorCode.ProtocolError, session.Completion);
        }
    }

    [Fact]
    public async Task Disposing_over_a_socket_waits_for_the_peer_at_most_ConnectionWriteTimeout()
    {
        var (first, second) = await Loopback.ConnectAsync();
        var time = new TestTime();
        var session = YamuxSession.Create(first, YamuxRole.Client, new YamuxOptions { TimeProvider = time });

        var dispose = session.DisposeAsync().AsTask();
        var lastWords = new byte[2 * Frame.HeaderSize];
        await second.ReadExactlyAsync(lastWords).Guarded();
        Assert.Equal(0, await second.ReadAsync(lastWords).Guarded());
        await time.TimerSetAsync(TimeSpan.FromSeconds(10));
        Assert.False(dispose.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));

        await dispose.Guarded();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Abort_ends_a_dispose_that_waits_for_the_peer_to_close_its_socket()
    {
        var (first, second) = await Loopback.ConnectAsync();
        var session = YamuxSession.Create(first, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() });
        var dispose = session.DisposeAsync().AsTask();
        var lastWords = new byte[2 * Frame.HeaderSize];
        await second.ReadExactlyAsync(lastWords).Guarded();
        Assert.Equal(0, await second.ReadAsync(lastWords).Guarded());

        session.Abort();

        await dispose.Guarded();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_socket_that_is_reset_fails_the_session_and_its_streams()
    {
        var (first, second) = await Loopback.ConnectAsync();
        await using var session = YamuxSession.Create(first, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() });
        var stream = await session.OpenStreamAsync().Guarded();
        var read = stream.Input.ReadAsync().AsTask();

        second.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        second.Socket.Dispose();

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, session.Completion);
        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionLost, read);
    }

    [Theory]
    [InlineData("dispose")]
    [InlineData("abort")]
    [InlineData("abort with data under way")]
    [InlineData("the peer closes")]
    public async Task The_stream_is_disposed_and_nothing_is_reported_when_the_session_has_ended(string how)
    {
        var (first, second) = await Loopback.ConnectAsync();
        var log = new CollectingLogger();
        var transport = new TrickleStream(first, 100_000);
        var session = YamuxSession.Create(transport, YamuxRole.Client, new YamuxOptions { TimeProvider = new TestTime() }, log);
        Task writing = Task.CompletedTask;
        switch (how)
        {
            case "dispose":
                var dispose = session.DisposeAsync();
                var lastWords = new byte[2 * Frame.HeaderSize];
                await second.ReadExactlyAsync(lastWords).Guarded();
                var ping = Frame.Parse(lastWords.AsSpan(Frame.HeaderSize));
                await second.WriteAsync(Frame.Pong(ping.Length).ToBytes()).Guarded();
                await dispose.Guarded();
                break;
            case "abort":
                session.Abort();
                break;
            case "abort with data under way":
                first.Socket.SendBufferSize = 1;
                for (var i = 0; i < 200 && writing.IsCompletedSuccessfully; i++)
                {
                    var stream = await session.OpenStreamAsync().Guarded();
                    writing = stream.Output.WriteAsync(new byte[262_144]).AsTask();
                }

                session.Abort();
                break;
            default:
                await second.DisposeAsync();
                break;
        }

        await session.Completion.Guarded();
        await Guard.EndedAsync(writing);

        Assert.True(transport.IsDisposed);
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("CloseFailed", StringComparison.Ordinal));
        await second.DisposeAsync();
    }
}
