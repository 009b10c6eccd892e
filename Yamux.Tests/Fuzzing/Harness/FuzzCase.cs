using System.Buffers.Binary;

namespace Yamux.Tests.Fuzzing;

/// <summary>
/// One input of the fuzzing, as a file holds it: a byte of settings, two that seed the application's choices, one that is
/// unused, and then what the peer sends.
/// </summary>
public sealed record FuzzCase(bool IsServer, int Fragments, bool HasSlowTransport, ushort Choices, byte[] Wire)
{
    public const int HeaderSize = 4;

    /// <summary>The values of <see cref="Fragments"/>: everything at once, large pieces, small pieces, single bytes.</summary>
    public const int Whole = 0;
    public const int Large = 1;
    public const int Small = 2;
    public const int Bytewise = 3;

    public static FuzzCase Parse(ReadOnlySpan<byte> file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        header.Clear();
        file[..Math.Min(file.Length, HeaderSize)].CopyTo(header);
        return new FuzzCase(
            (header[0] & 1) != 0,
            (header[0] >> 1) & 3,
            (header[0] & 8) != 0,
            BinaryPrimitives.ReadUInt16BigEndian(header[1..]),
            file.Length > HeaderSize ? file[HeaderSize..].ToArray() : []);
    }

    public byte[] ToFile()
    {
        var file = new byte[HeaderSize + Wire.Length];
        file[0] = (byte)((IsServer ? 1 : 0) | (Fragments << 1) | (HasSlowTransport ? 8 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(1), Choices);
        Wire.CopyTo(file, HeaderSize);
        return file;
    }
}
