using System.Buffers.Binary;

namespace Yamux.Protocol;

/// <summary>
/// The twelve bytes before every payload, big endian:
/// <code>
/// 0        1        2                 4                        8                       12
/// +--------+--------+-----------------+------------------------+------------------------+
/// | ver=0  |  type  |      flags      |       stream id        |         length         |
/// +--------+--------+-----------------+------------------------+------------------------+
/// </code>
/// </summary>
internal readonly record struct FrameHeader(FrameType Type, FrameFlags Flags, uint StreamId, uint Length)
{
    public const int Size = 12;

    /// <summary>The only version of the protocol there is.</summary>
    public const byte Version = 0;

    /// <summary>The credit that each side of a new stream starts with, before any window update (yamux spec, "Flow Control").</summary>
    public const uint InitialWindow = 256 * 1024;

    /// <summary>The flags that mean something; others are ignored.</summary>
    public const FrameFlags KnownFlags = FrameFlags.Syn | FrameFlags.Ack | FrameFlags.Fin | FrameFlags.Rst;

    /// <summary>Asks for an answer with the same value.</summary>
    public static FrameHeader Ping(uint value) => new(FrameType.Ping, FrameFlags.Syn, 0, value);

    public static FrameHeader GoAway(GoAwayCode code) => new(FrameType.GoAway, FrameFlags.None, 0, (uint)code);

    /// <summary>A frame of a stream's without payload; <paramref name="credit"/> is what the peer may send more.</summary>
    public static FrameHeader Window(FrameFlags flags, uint streamId, uint credit = 0) => new(FrameType.WindowUpdate, flags, streamId, credit);

    public bool Has(FrameFlags flag) => (Flags & flag) != 0;

    /// <summary>Writes the header to the first <see cref="Size"/> bytes of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = Version;
        destination[1] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Length);
    }

    /// <summary>Reads a header from the first <see cref="Size"/> bytes of <paramref name="source"/>.</summary>
    /// <exception cref="YamuxException">The version or the type is unknown.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> source)
    {
        if (source[0] != Version)
        {
            throw YamuxException.Protocol($"the frame's version is {source[0]}; only version {Version} exists", source[0]);
        }

        if (source[1] > (byte)FrameType.GoAway)
        {
            throw YamuxException.Protocol($"the frame's type is {source[1]}; types are 0 to {(byte)FrameType.GoAway}");
        }

        return new FrameHeader(
            (FrameType)source[1],
            (FrameFlags)BinaryPrimitives.ReadUInt16BigEndian(source[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[8..]));
    }
}
