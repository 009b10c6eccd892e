using System.Buffers.Binary;

namespace Sidechannel;

/// <summary>The bytes with which a sidechannel begins (Gitaly: sidechannel).</summary>
/// <remarks><code>
/// handler to caller:  's' 'i' 'd' 'e' 'c' 'h' 'a' 'n' 'n' 'e' 'l' | id, int64 big endian
/// caller to handler:  'o' 'k'
/// </code></remarks>
internal static class Handshake
{
    public const int IdLength = sizeof(long);

    /// <summary>How long the handler waits for an answer while nothing comes of the caller, and the caller for its id.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>How long it may take in all, where <see cref="Yamux.YamuxOptions.StreamOpenTimeout"/> does not say less.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(75);

    public static ReadOnlySpan<byte> Magic => "sidechannel"u8;

    public static ReadOnlySpan<byte> Accepted => "ok"u8;

    /// <summary>What the handler sends.</summary>
    public static byte[] Hello(long id)
    {
        var bytes = new byte[Magic.Length + IdLength];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(Magic.Length), id);
        return bytes;
    }
}
