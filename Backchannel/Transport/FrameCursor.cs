using System.Buffers.Binary;

namespace Backchannel;

/// <summary>Where one is in the frames that an HTTP/2 server sends (RFC 9113, 4.1).</summary>
/// <remarks><code>
/// length, 3 bytes | type, 1 | flags, 1 | stream, 4 | payload
/// </code></remarks>
internal struct FrameCursor
{
    private const int LengthTypeAndFlags = 5;

    private ulong _header; // As much of its beginning as has been read, to the flags.
    private int _headerRead;
    private uint _payloadLeft;
    private bool _isInHeaderBlock;

    /// <summary>Whether the next byte begins a frame, before which another may be put.</summary>
    public readonly bool IsAtFrame => _payloadLeft == 0 && _headerRead == 0 && !_isInHeaderBlock;

    /// <summary>Goes on over some bytes.</summary>
    /// <param name="bytes">What comes next.</param>
    /// <param name="oneFrame">
    /// Not beyond the next place between two frames, after the first byte, whatever the frame is. Else over all that are no GOAWAY, and whose header is there as a whole.
    /// </param>
    /// <returns>How many of them were gone over.</returns>
    public int Advance(ReadOnlySpan<byte> bytes, bool oneFrame)
    {
        var count = 0;
        while (count < bytes.Length)
        {
            if (IsAtFrame && (oneFrame ? count > 0 : MayBeGoAway(bytes[count..])))
            {
                break;
            }

            if (_payloadLeft > 0)
            {
                var step = (int)Math.Min((uint)(bytes.Length - count), _payloadLeft);
                _payloadLeft -= (uint)step;
                count += step;
            }
            else if (_headerRead == 0 && bytes.Length - count >= Http2FrameHeader.Size)
            {
                Begin(BinaryPrimitives.ReadUInt64BigEndian(bytes[count..]) >> (8 * (sizeof(ulong) - LengthTypeAndFlags)));
                count += Http2FrameHeader.Size;
            }
            else
            {
                if (_headerRead < LengthTypeAndFlags)
                {
                    _header = (_header << 8) | bytes[count];
                }

                count++;
                if (++_headerRead == Http2FrameHeader.Size)
                {
                    Begin(_header);
                    (_header, _headerRead) = (0, 0);
                }
            }
        }

        return count;
    }

    private static bool MayBeGoAway(ReadOnlySpan<byte> frame) => frame.Length < Http2FrameHeader.Size || frame[Http2FrameHeader.TypeOffset] == Http2FrameType.GoAway;

    private void Begin(ulong lengthTypeAndFlags)
    {
        var type = (byte)(lengthTypeAndFlags >> 8);
        _payloadLeft = (uint)(lengthTypeAndFlags >> 16);

        // Nothing may come between the frames of a header block.
        _isInHeaderBlock = type is Http2FrameType.Headers or Http2FrameType.PushPromise or Http2FrameType.Continuation
            && ((byte)lengthTypeAndFlags & Http2FrameHeader.EndHeadersFlag) == 0;
    }
}
