namespace Yamux.Tests.Face;

/// <summary>
/// How a session ends that has TLS below it: <see cref="System.Net.Security.SslStream.ShutdownAsync"/> in the middle of a read or a write, on another thread, corrupts the memory of
/// the process.
/// </summary>
public class TlsCloseTests
{
    [Theory]
    [InlineData(YamuxRole.Client)]
    [InlineData(YamuxRole.Server)]
    public async Task TLS_ends_its_sending_side_with_no_read_and_no_write_under_way(YamuxRole closer)
    {
        var (client, server) = await ConnectAsync();
        var near = YamuxSession.Create(client, YamuxRole.Client);
        var far = YamuxSession.Create(server, YamuxRole.Server);
        await near.PingAsync().Guarded();

        await (closer == YamuxRole.Client ? near : far).CloseAsync(TimeSpan.Zero).Guarded();
        await Task.WhenAll(near.Completion, far.Completion).Guarded();

        Assert.Equal((0, 0), client.AtShutdown);
        Assert.Equal((0, 0), server.AtShutdown);
    }

    [Fact]
    public async Task It_waits_for_the_answers_to_a_peer_that_pings_all_the_time()
    {
        var (client, server) = await ConnectAsync();
        var near = YamuxSession.Create(client, YamuxRole.Client);
        var far = YamuxSession.Create(server, YamuxRole.Server);
        var pings = Enumerable.Range(0, 8).Select(_ => PingUntilItEndsAsync(far)).ToList();
        await near.PingAsync().Guarded();

        await near.CloseAsync(TimeSpan.Zero).Guarded();
        await Task.WhenAll(pings).Guarded();
        await far.Completion.Guarded();

        Assert.Equal((0, 0), client.AtShutdown ?? (0, 0)); // Where an answer was always being sent, it does without.
        Assert.Equal((0, 0), server.AtShutdown ?? (0, 0));
    }

    [Fact]
    public async Task Both_ends_that_close_at_once_with_data_under_way_bring_all_of_it()
    {
        const int Size = 200_000;
        var (client, server) = await ConnectAsync();
        var near = YamuxSession.Create(client, YamuxRole.Client);
        var far = YamuxSession.Create(server, YamuxRole.Server);
        await using var one = await near.OpenStreamAsync().Guarded();
        await using var other = (await far.AcceptStreamAsync().Guarded())!;

        await Task.WhenAll(SendAsync(one), SendAsync(other), ReceiveAsync(one), ReceiveAsync(other)).Guarded();
        await Task.WhenAll(near.CloseAsync(TimeSpan.Zero).AsTask(), far.CloseAsync(TimeSpan.Zero).AsTask()).Guarded();

        Assert.Equal((0, 0), client.AtShutdown ?? (0, 0));
        Assert.Equal((0, 0), server.AtShutdown ?? (0, 0));

        static Task SendAsync(YamuxStream stream) => stream.WriteAsync(new byte[Size], completeWrites: true).AsTask();

        static async Task ReceiveAsync(YamuxStream stream)
        {
            long received = 0;
            while (true)
            {
                var read = await stream.Input.ReadAsync();
                received += read.Buffer.Length;
                stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            Assert.Equal(Size, received);
        }
    }

    private static async Task<(WatchedSslStream Client, WatchedSslStream Server)> ConnectAsync()
    {
        var (first, second) = await Loopback.ConnectAsync();
        var (client, server) = (new WatchedSslStream(first), new WatchedSslStream(second));
        await TlsLoopback.SecureAsync(client, server);
        return (client, server);
    }

    private static async Task PingUntilItEndsAsync(YamuxSession session)
    {
        try
        {
            while (true)
            {
                await session.PingAsync();
            }
        }
        catch (YamuxException)
        {
            // It has ended.
        }
    }
}
