using System.Buffers.Binary;

namespace Benchmarks.Wire;

/// <summary>The first byte on each stream: what its server does.</summary>
internal static class WireCommand
{
    /// <summary>Then int64 big endian N and N bytes: the server reads them and answers N as int64 big endian.</summary>
    public const byte Send = (byte)'S';

    /// <summary>Then int64 big endian N: the server sends N bytes.</summary>
    public const byte Get = (byte)'G';

    /// <summary>Then any bytes: the server echoes them until the end.</summary>
    public const byte Echo = (byte)'E';

    /// <summary>Then nothing: the server holds the stream until it ends.</summary>
    public const byte Idle = (byte)'I';

    /// <summary>The largest piece that is written or read at once.</summary>
    public const int LargestPiece = 64 * 1024;

    /// <summary>What <see cref="Send"/> or <see cref="Get"/> begins with.</summary>
    public static byte[] Header(byte command, long count)
    {
        var header = new byte[1 + sizeof(long)];
        header[0] = command;
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(1), count);
        return header;
    }
}
