using System.Buffers.Binary;

namespace Yamux.Tests.Kit;

/// <summary>A frame as the tests see it. It is written and read by these few lines, never by the engine's.</summary>
public sealed record Frame(FrameKind Kind, FrameFlag Flags, uint StreamId, uint Length)
{
    public const int HeaderSize = 12;

    public byte Version { get; init; }

    /// <summary>What follows the header. The scripted peer may announce more in <see cref="Length"/> than it sends.</summary>
    public byte[] Payload { get; init; } = [];

    public static Frame Syn(uint id, uint delta = 0) => Credit(id, delta, FrameFlag.Syn);

    public static Frame Ack(uint id, uint delta = 0) => Credit(id, delta, FrameFlag.Ack);

    public static Frame Fin(uint id) => Credit(id, 0, FrameFlag.Fin);

    public static Frame Rst(uint id) => Credit(id, 0, FrameFlag.Rst);

    public static Frame Credit(uint id, uint delta, FrameFlag flags = FrameFlag.None) => new(FrameKind.WindowUpdate, flags, id, delta);

    public static Frame Data(uint id, byte[] payload, FrameFlag flags = FrameFlag.None)
        => new(FrameKind.Data, flags, id, (uint)payload.Length) { Payload = payload };

    /// <summary>The header of a Data frame, whose payload comes later or never.</summary>
    public static Frame DataHeader(uint id, uint length, FrameFlag flags = FrameFlag.None) => new(FrameKind.Data, flags, id, length);

    public static Frame Ping(uint value) => new(FrameKind.Ping, FrameFlag.Syn, 0, value);

    public static Frame Pong(uint value) => new(FrameKind.Ping, FrameFlag.Ack, 0, value);

    public static Frame GoAway(uint code) => new(FrameKind.GoAway, FrameFlag.None, 0, code);

    public static Frame Parse(ReadOnlySpan<byte> header) => new(
        (FrameKind)header[1],
        (FrameFlag)BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
        BinaryPrimitives.ReadUInt32BigEndian(header[4..]),
        BinaryPrimitives.ReadUInt32BigEndian(header[8..]))
    { Version = header[0] };

    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + Payload.Length];
        bytes[0] = Version;
        bytes[1] = (byte)Kind;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), Length);
        Payload.CopyTo(bytes, HeaderSize);
        return bytes;
    }

    public bool Equals(Frame? other)
        => other is not null
            && (Version, Kind, Flags, StreamId, Length) == (other.Version, other.Kind, other.Flags, other.StreamId, other.Length)
            && Payload.AsSpan().SequenceEqual(other.Payload);

    public override int GetHashCode() => HashCode.Combine(Version, Kind, Flags, StreamId, Length);

    public override string ToString()
    {
        var text = $"{Kind} [{Flags}] stream {StreamId} length {Length}";
        return Payload.Length == 0 ? text : $"{text} ({Convert.ToHexString(Payload.AsSpan(0, Math.Min(Payload.Length, 8)))}…)";
    }
}
