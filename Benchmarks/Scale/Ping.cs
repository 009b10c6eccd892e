using Benchmarks.Wire;

namespace Benchmarks.Scale;

/// <summary>64 bytes to the server and back.</summary>
internal static class Ping
{
    public const int MessageLength = 64;

    private static readonly byte[] Command = [WireCommand.Echo];

    /// <summary>Opens a stream for it.</summary>
    public static async Task<WireStream> OpenAsync(WireClient client)
    {
        var stream = await client.OpenAsync();
        await stream.WriteAsync(Command);
        return stream;
    }

    public static async ValueTask OnceAsync(WireStream stream, Memory<byte> message)
    {
        await stream.WriteAsync(message);
        await stream.ReadExactlyAsync(message);
    }

    /// <summary>Again and again, while <paramref name="goOn"/> says so.</summary>
    public static async Task RepeatAsync(WireStream stream, Func<bool> goOn)
    {
        var message = new byte[MessageLength];
        while (goOn())
        {
            await OnceAsync(stream, message);
        }
    }
}
