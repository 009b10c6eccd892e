using System.IO.Pipelines;
using System.Security.Cryptography;

namespace Yamux.Tests.Races;

/// <summary>Two sessions against each other, with thousands of streams at once.</summary>
public class ManyStreamsTests
{
    [Theory]
    [InlineData(2000, 64)]
    [InlineData(200, 20_000)]
    [InlineData(8, 1_500_000)]
    public async Task Streams_of_both_ends_echo_what_they_are_sent(int count, int size)
    {
        await using var pair = SessionPair.OverPipes(DuplexPipe.Rendezvous);

        var serving = new[] { ServeAsync(pair.Client), ServeAsync(pair.Server) };
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => EchoAsync(i % 2 == 0 ? pair.Client : pair.Server, size, i)))).Guarded();

        await pair.Client.DisposeAsync().Guarded();
        await Task.WhenAll(serving).Guarded();
        Assert.Equal((0, 0), (pair.Client.StreamCount, pair.Server.StreamCount));
    }

    [Fact]
    public async Task Streams_over_a_socket_echo_what_they_are_sent()
    {
        var (first, second) = await Loopback.ConnectAsync();
        await using var pair = SessionPair.OverStreams(first, second, options => options.FixWindows(1024 * 1024));

        var serving = new[] { ServeAsync(pair.Client), ServeAsync(pair.Server) };
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Task.Run(() => EchoAsync(i % 2 == 0 ? pair.Client : pair.Server, 30_000, i)))).Guarded();

        await pair.Client.DisposeAsync().Guarded();
        await Task.WhenAll(serving).Guarded();
    }

    private static async Task ServeAsync(YamuxSession session)
    {
        var streams = new List<Task>();
        await foreach (var stream in session.AcceptStreamsAsync())
        {
            streams.Add(Task.Run(async () =>
            {
                await stream.Input.CopyToAsync(stream.Output);
                await stream.DisposeAsync();
            }));
        }

        await Task.WhenAll(streams);
    }

    private static async Task EchoAsync(YamuxSession session, int size, int seed)
    {
        var stream = await session.OpenStreamAsync();
        var data = Bytes.Pattern(size, seed);
        var write = WriteAsync(stream.Output, data, seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            var read = await stream.Input.ReadAsync();
            foreach (var piece in read.Buffer)
            {
                hash.AppendData(piece.Span);
            }

            stream.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await write;
        Assert.Equal(SHA256.HashData(data), hash.GetHashAndReset());
        await stream.DisposeAsync();
    }

    private static async Task WriteAsync(PipeWriter output, byte[] data, int seed)
    {
        var random = new Random(seed);
        for (var sent = 0; sent < data.Length;)
        {
            var count = Math.Min(random.Next(1, 50_000), data.Length - sent);
            await output.WriteAsync(data.AsMemory(sent, count));
            sent += count;
        }

        await output.CompleteAsync();
    }
}
