using System.Buffers.Binary;
using System.Net.Sockets;

namespace Benchmarks.Wire;

/// <summary>What a server does on each stream, the same for all implementations.</summary>
internal static class StreamServer
{
    private static readonly byte[] Piece = new byte[WireCommand.LargestPiece];

    /// <summary>Serves the stream to its end, and closes it. That the client leaves in between is no error.</summary>
    public static async Task ServeAsync(WireStream stream)
    {
        try
        {
            await using (stream)
            {
                await ObeyAsync(stream);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync($"a stream failed: {error.Message}");
        }
    }

    private static async Task ObeyAsync(WireStream stream)
    {
        var command = new byte[1];
        if (await stream.ReadAsync(command) == 0)
        {
            return;
        }

        switch (command[0])
        {
            case WireCommand.Send:
                await ReceiveAsync(stream);
                break;
            case WireCommand.Get:
                await SendAsync(stream);
                break;
            case WireCommand.Echo:
                await stream.EchoAsync();
                break;
            case WireCommand.Idle:
                while (await stream.ReadAsync(command) > 0)
                {
                }

                break;
            default:
                throw new WireException($"A stream began with the byte {command[0]}; it must be S, G, E or I.");
        }
    }

    private static async Task ReceiveAsync(WireStream stream)
    {
        var count = new byte[sizeof(long)];
        await stream.ReadExactlyAsync(count);
        await stream.DiscardAsync(BinaryPrimitives.ReadInt64BigEndian(count));
        await stream.WriteAsync(count);
    }

    private static async Task SendAsync(WireStream stream)
    {
        var count = new byte[sizeof(long)];
        await stream.ReadExactlyAsync(count);
        for (var left = BinaryPrimitives.ReadInt64BigEndian(count); left > 0;)
        {
            var size = (int)Math.Min(left, Piece.Length);
            await stream.WriteAsync(Piece.AsMemory(0, size));
            left -= size;
        }
    }
}
