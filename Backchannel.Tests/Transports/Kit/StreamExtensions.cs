using System.IO.Pipelines;
using Yamux;

namespace Backchannel.Tests.Transports.Kit;

/// <summary>What every test of this folder does with streams.</summary>
internal static class StreamExtensions
{
    /// <summary>Opens a stream at one end, and accepts it at the other.</summary>
    public static async Task<(YamuxStream Here, YamuxStream There)> OpenToAsync(this YamuxSession session, YamuxSession other)
    {
        var accepting = other.AcceptStreamAsync();
        return (await session.OpenStreamAsync(), (await accepting)!);
    }

    /// <summary>Reads to the clean end.</summary>
    public static async Task<byte[]> ReadToEndAsync(this YamuxStream stream)
    {
        var bytes = new MemoryStream();
        await stream.Input.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
