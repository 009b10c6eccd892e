namespace Backchannel;

/// <summary>Reads the integers and strings of a header block (RFC 7541, section 5), as strictly as Kestrel does.</summary>
internal ref struct HpackReader(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    /// <summary>Where the next octet is.</summary>
    public int Position { get; private set; }

    public readonly bool IsAtEnd => Position == _block.Length;

    /// <summary>The next octet, of which there is one.</summary>
    public readonly byte Peek() => _block[Position];

    /// <summary>Reads an integer whose first <paramref name="prefix"/> bits are the low ones of the next octet.</summary>
    public bool TryReadInteger(int prefix, out int value)
    {
        value = 0;
        if (IsAtEnd)
        {
            return false;
        }

        var most = (1 << prefix) - 1;
        value = _block[Position++] & most;
        if (value < most)
        {
            return true;
        }

        long sum = value;
        for (var shift = 0; !IsAtEnd && shift <= 28; shift += 7)
        {
            var octet = _block[Position++];
            sum += (long)(octet & 0x7F) << shift;
            if (sum > int.MaxValue)
            {
                return false;
            }

            if (octet < 0x80)
            {
                value = (int)sum;
                return octet != 0 || shift == 0; // Not longer than it need be.
            }
        }

        return false;
    }

    /// <summary>Reads a string literal.</summary>
    public bool TryReadString(out HpackString text)
    {
        text = default;
        if (IsAtEnd)
        {
            return false;
        }

        var isHuffman = (Peek() & 0x80) != 0;
        if (!TryReadInteger(7, out var length) || length > _block.Length - Position)
        {
            return false;
        }

        var decodedLength = length;
        if (isHuffman && !HuffmanCode.TryDecode(_block.Slice(Position, length), default, out decodedLength))
        {
            return false;
        }

        text = new HpackString(Position, length, isHuffman, decodedLength);
        Position += length;
        return true;
    }
}
