using System.Buffers;
using System.Buffers.Binary;

namespace Backchannel;

/// <summary>The nine octets in front of each HTTP/2 frame (RFC 9113, section 4.1).</summary>
/// <param name="Length">How many octets follow.</param>
/// <param name="Type">The frame's type.</param>
/// <param name="Flags">Its flags, whose meaning depends on the type.</param>
/// <param name="StreamId">Its stream; 0 is the connection.</param>
internal readonly record struct Http2FrameHeader(int Length, byte Type, byte Flags, int StreamId)
{
    public const int Size = 9;
    public const int TypeOffset = 3;
    public const byte EndStreamFlag = 0x01;
    public const byte EndHeadersFlag = 0x04;
    private const byte PaddedFlag = 0x08;
    private const byte PriorityFlag = 0x20;

    public bool IsHeaders => Type == Http2FrameType.Headers;

    public bool IsContinuation => Type == Http2FrameType.Continuation;

    public bool EndsHeaders => (Flags & EndHeadersFlag) != 0;

    /// <summary>Reads the header at the beginning of <paramref name="buffer"/>, which has all of it.</summary>
    public static Http2FrameHeader Read(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> room = stackalloc byte[Size];
        scoped var octets = buffer.FirstSpan;
        if (octets.Length < Size)
        {
            buffer.Slice(0, Size).CopyTo(room);
            octets = room;
        }

        return new Http2FrameHeader(
            (octets[0] << 16) | (octets[1] << 8) | octets[2], octets[3], octets[4], BinaryPrimitives.ReadInt32BigEndian(octets[5..]) & int.MaxValue);
    }

    public void Write(IBufferWriter<byte> output)
    {
        var octets = output.GetSpan(Size);
        BinaryPrimitives.WriteInt32BigEndian(octets, Length << 8);
        octets[3] = Type;
        octets[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(octets[5..], StreamId);
        output.Advance(Size);
    }

    /// <summary>
    /// Finds the part of the header block in the <paramref name="payload"/> of this frame, which is HEADERS or CONTINUATION: between priority and padding.
    /// False if these are longer than the payload.
    /// </summary>
    public bool TryGetFragment(in ReadOnlySequence<byte> payload, out ReadOnlySequence<byte> fragment)
    {
        fragment = payload;
        if (!IsHeaders)
        {
            return true;
        }

        var isPadded = (Flags & PaddedFlag) != 0;
        var start = (isPadded ? 1 : 0) + ((Flags & PriorityFlag) != 0 ? 5 : 0);
        if (start > Length)
        {
            return false;
        }

        Span<byte> padding = [0];
        if (isPadded)
        {
            payload.Slice(0, 1).CopyTo(padding);
        }

        var length = Length - start - padding[0];
        if (length < 0)
        {
            return false;
        }

        fragment = payload.Slice(start, length);
        return true;
    }
}
