namespace Yamux.Tests.Races;

/// <summary>A stream that one thread disposes while another reads it, as HTTP clients do.</summary>
public class DisposeWhileReadingTests
{
    [Fact]
    public async Task The_reader_gets_right_bytes_until_it_is_told_that_the_stream_was_disposed()
    {
        await using var pair = SessionPair.OverPipes();
        for (var round = 0; round < 200; round++)
        {
            var (client, server) = (await pair.OpenAsync(1))[0];
            var sender = SendAsync(server);
            var reader = ReadAsync(client);
            for (var spin = 0; spin < round % 10; spin++)
            {
                await Task.Yield();
            }

            await client.DisposeAsync().Guarded();
            var failure = await Assert.ThrowsAnyAsync<Exception>(() => reader.Guarded());
            Assert.True(failure is ObjectDisposedException or YamuxException { ErrorCode: YamuxErrorCode.StreamAborted }, $"{failure}");
            server.Abort();
            await sender.Guarded();
        }
    }

    private static async Task SendAsync(YamuxStream stream)
    {
        var bytes = new byte[10_000];
        Array.Fill(bytes, (byte)42);
        try
        {
            while (true)
            {
                await stream.AsStream().WriteAsync(bytes);
            }
        }
        catch (YamuxException)
        {
            // Aborted by the test.
        }
    }

    private static async Task ReadAsync(YamuxStream stream)
    {
        await Task.Yield();
        var buffer = new byte[3_000];
        while (true)
        {
            var count = await stream.AsStream().ReadAsync(buffer);
            Assert.NotEqual(0, count);
            Assert.Equal(-1, buffer.AsSpan(0, count).IndexOfAnyExcept((byte)42));
        }
    }
}
