using System.Buffers.Binary;

namespace Backchannel;

/// <summary>Where one is in the frames that an HTTP/2 server sends (RFC 9113, 4.1).</summary>
/// <remarks><code>
/// length, 3 bytes | type, 1 | flags, 1 | stream, 4 | payload
/// </code></remarks>
internal struct FrameCursor
{
    private const int HeaderSize = 9;
    private const int LengthSize = 3;
    private const int TypeOffset = 3;
    private const int GoAwayType = 7;

    private uint _length;
    private int _headerRead;
    private uint _payloadLeft;

    /// <summary>Whether the next byte begins a frame, and is not the first of all.</summary>
    public bool IsBetweenFrames { get; private set; }

    /// <summary>Whether the server has sent GOAWAY: it takes no further requests here.</summary>
    public bool HasSeenGoAway { get; private set; }

    /// <summary>Goes on over some bytes.</summary>
    /// <param name="bytes">What comes next.</param>
    /// <param name="stop">Not beyond the next place between two frames.</param>
    /// <returns>How many of them were gone over.</returns>
    public int Advance(ReadOnlySpan<byte> bytes, bool stop)
    {
        var count = 0;
        while (count < bytes.Length && !(stop && IsBetweenFrames))
        {
            if (_payloadLeft > 0)
            {
                var step = (int)Math.Min((uint)(bytes.Length - count), _payloadLeft);
                _payloadLeft -= (uint)step;
                count += step;
            }
            else if (_headerRead == 0 && bytes.Length - count >= HeaderSize)
            {
                _payloadLeft = BinaryPrimitives.ReadUInt32BigEndian(bytes[count..]) >> 8;
                HasSeenGoAway |= bytes[count + TypeOffset] == GoAwayType;
                count += HeaderSize;
            }
            else
            {
                if (_headerRead < LengthSize)
                {
                    _length = (_length << 8) | bytes[count];
                }

                HasSeenGoAway |= _headerRead == TypeOffset && bytes[count] == GoAwayType;

                count++;
                if (++_headerRead == HeaderSize)
                {
                    (_payloadLeft, _length, _headerRead) = (_length, 0, 0);
                }
            }

            IsBetweenFrames = _payloadLeft == 0 && _headerRead == 0;
        }

        return count;
    }
}
