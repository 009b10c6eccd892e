using System.Buffers;

namespace Sidechannel;

/// <summary>The packets of one write, headers and payloads in turn, without a copy of the payload. Used again for each write.</summary>
internal sealed class PacketSequence
{
    // A write of 64 KiB, which is usual, is a packet and 20 bytes.
    private const int MaxPackets = 2;

    private readonly Segment[] _segments;

    public PacketSequence()
    {
        _segments = new Segment[2 * MaxPackets];
        for (var i = _segments.Length - 1; i >= 0; i--)
        {
            _segments[i] = new Segment(i % 2 == 0 ? new byte[PacketHeader.Size] : default, i + 1 < _segments.Length ? _segments[i + 1] : null);
        }
    }

    /// <summary>How many bytes one sequence can carry.</summary>
    public static int MaxBytes => MaxPackets * PacketHeader.MaxPayload;

    /// <param name="bytes">1 to <see cref="MaxBytes"/> bytes.</param>
    public ReadOnlySequence<byte> Wrap(ReadOnlyMemory<byte> bytes)
    {
        var position = 0L;
        for (var i = 0; ; i += 2)
        {
            var payload = bytes[..Math.Min(bytes.Length, PacketHeader.MaxPayload)];
            _segments[i].SetHeader(payload.Length, position);
            _segments[i + 1].SetPayload(payload, position + PacketHeader.Size);
            bytes = bytes[payload.Length..];
            position += PacketHeader.Size + payload.Length;
            if (bytes.IsEmpty)
            {
                return new ReadOnlySequence<byte>(_segments[0], 0, _segments[i + 1], payload.Length);
            }
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private readonly byte[]? _header;

        public Segment(byte[]? header, Segment? next)
        {
            _header = header;
            Memory = header;
            Next = next;
        }

        public void SetHeader(int payloadLength, long position)
        {
            PacketHeader.Write(_header, payloadLength);
            RunningIndex = position;
        }

        public void SetPayload(ReadOnlyMemory<byte> payload, long position)
        {
            Memory = payload;
            RunningIndex = position;
        }
    }
}
