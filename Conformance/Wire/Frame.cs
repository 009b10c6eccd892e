using System.Buffers.Binary;

namespace Conformance.Wire;

/// <summary>
/// A frame, written and read by these few lines and by nothing of the Yamux library: a bug there must not hide here.
/// </summary>
/// <param name="Length">As in the header: the payload's bytes, the credit, the ping's value or the reason for going away.</param>
internal sealed record Frame(FrameType Type, FrameFlags Flags, uint StreamId, uint Length)
{
    public const int HeaderSize = 12;

    /// <summary>The credit that each stream starts with, in each direction.</summary>
    public const uint InitialWindow = 256 * 1024;

    public byte Version { get; init; }

    /// <summary>What follows the header. It may be less than <see cref="Length"/> announces.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    public static Frame Syn(uint id, uint delta = 0) => WindowUpdate(id, delta, FrameFlags.Syn);

    public static Frame Fin(uint id) => WindowUpdate(id, 0, FrameFlags.Fin);

    public static Frame Rst(uint id) => WindowUpdate(id, 0, FrameFlags.Rst);

    public static Frame WindowUpdate(uint id, uint delta, FrameFlags flags = FrameFlags.None) => new(FrameType.WindowUpdate, flags, id, delta);

    public static Frame Data(uint id, ReadOnlyMemory<byte> payload, FrameFlags flags = FrameFlags.None)
        => new(FrameType.Data, flags, id, (uint)payload.Length) { Payload = payload };

    /// <summary>A Data header that announces a payload which comes later, or never.</summary>
    public static Frame DataHeader(uint id, uint length, FrameFlags flags = FrameFlags.None) => new(FrameType.Data, flags, id, length);

    public static Frame Ping(uint value, FrameFlags flags = FrameFlags.Syn) => new(FrameType.Ping, flags, 0, value);

    public static Frame Pong(uint value) => Ping(value, FrameFlags.Ack);

    public static Frame GoAway(uint code) => new(FrameType.GoAway, FrameFlags.None, 0, code);

    public static Frame ReadHeader(ReadOnlySpan<byte> header) => new(
        (FrameType)header[1],
        (FrameFlags)BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
        BinaryPrimitives.ReadUInt32BigEndian(header[4..]),
        BinaryPrimitives.ReadUInt32BigEndian(header[8..]))
    { Version = header[0] };

    public bool Has(FrameFlags flag) => (Flags & flag) != 0;

    /// <summary>The header's twelve bytes, as they come, and the payload.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + Payload.Length];
        bytes[0] = Version;
        bytes[1] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), Length);
        Payload.Span.CopyTo(bytes.AsSpan(HeaderSize));
        return bytes;
    }

    public override string ToString()
    {
        var flags = Flags == FrameFlags.None ? "" : " " + DescribeFlags();
        var version = Version == 0 ? "" : $" version {Version}";
        var stream = StreamId == 0 && Type is FrameType.Ping or FrameType.GoAway ? "" : $" stream {StreamId}";
        var length = Type switch
        {
            FrameType.Data => $" length {Length}",
            FrameType.WindowUpdate => $" delta {Length}",
            FrameType.Ping => $" value {Length}",
            FrameType.GoAway => $" code {Length}",
            _ => $" length {Length}",
        };
        return $"{DescribeType()}{flags}{version}{stream}{length}{DescribePayload()}";
    }

    private string DescribeType() => Enum.IsDefined(Type) ? Type.ToString() : $"Type{(byte)Type}";

    private string DescribeFlags()
    {
        var names = new List<string>();
        foreach (var flag in Enum.GetValues<FrameFlags>())
        {
            if (flag != FrameFlags.None && Has(flag))
            {
                names.Add(flag.ToString().ToUpperInvariant());
            }
        }

        var unknown = (ushort)Flags & ~0xF;
        if (unknown != 0)
        {
            names.Add($"0x{unknown:X4}");
        }

        return string.Join('|', names);
    }

    private string DescribePayload()
    {
        const int Shown = 8;
        return Payload.Length == 0 ? "" : $": {Convert.ToHexString(Payload.Span[..Math.Min(Payload.Length, Shown)])}{(Payload.Length > Shown ? "…" : "")}";
    }
}
