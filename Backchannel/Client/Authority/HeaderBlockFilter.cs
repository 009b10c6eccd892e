using System.Buffers;

namespace Backchannel;

/// <summary>
/// Follows the header blocks of one connection, in their order, as far as is needed to find the values of <c>:authority</c> and <c>host</c>, and changes
/// those that Kestrel would refuse. Only literals need it: a field from the dynamic table was a literal once, and Kestrel's table has what became of that.
/// </summary>
internal sealed class HeaderBlockFilter(int tableSize)
{
    private const int LongestName = 10;
    private const int UsualLength = 256;

    // A call has one or two. More than this in a block are not kept room for.
    private const int UsualValues = 8;

    private readonly HpackTable _table = new(tableSize);
    private List<HpackString> _values = [];

    /// <summary>
    /// Changes the hosts of a block in place, and nothing else: neither its length nor what it does to a decoder's table. False if it is no proper block;
    /// nothing was changed then, and no further block of the connection can be read.
    /// </summary>
    public bool TryFilter(Span<byte> block, out bool changed)
    {
        changed = false;
        _values.Clear();
        if (!TryRead(block))
        {
            return false;
        }

        foreach (var value in _values)
        {
            changed |= Filter(block.Slice(value.Start, value.Length), value);
        }

        if (_values.Count > UsualValues)
        {
            _values = [];
        }

        return true;
    }

    private bool TryRead(ReadOnlySpan<byte> block)
    {
        var reader = new HpackReader(block);
        var fields = false;
        while (!reader.IsAtEnd)
        {
            var kind = reader.Peek();
            if ((kind & 0xE0) == 0x20)
            {
                // A new size comes before all fields.
                if (fields || !reader.TryReadInteger(5, out var size) || !_table.TryResize(size))
                {
                    return false;
                }

                continue;
            }

            fields = true;
            var isRead = (kind & 0x80) != 0
                ? reader.TryReadInteger(7, out var index) && TryGetField(index, out _)
                : TryReadLiteral(ref reader, block, isIndexed: (kind & 0x40) != 0);
            if (!isRead)
            {
                return false;
            }
        }

        return true;
    }

    private bool TryReadLiteral(ref HpackReader reader, ReadOnlySpan<byte> block, bool isIndexed)
    {
        if (!reader.TryReadInteger(isIndexed ? 6 : 4, out var index))
        {
            return false;
        }

        var isNamed = index == 0 ? TryReadName(ref reader, block, out var name) : TryGetField(index, out name);
        if (!isNamed || !reader.TryReadString(out var value))
        {
            return false;
        }

        if (name.IsHost)
        {
            _values.Add(value);
        }

        if (isIndexed)
        {
            _table.Add(name with { Size = name.NameLength + (long)value.DecodedLength + 32 });
        }

        return true;
    }

    private bool TryGetField(int index, out HpackField field)
    {
        if (index > HpackField.StaticCount)
        {
            return _table.TryGet(index - HpackField.StaticCount - 1, out field);
        }

        field = index > 0 ? HpackField.GetStatic(index) : default;
        return index > 0;
    }

    private static bool TryReadName(ref HpackReader reader, ReadOnlySpan<byte> block, out HpackField field)
    {
        field = default;
        if (!reader.TryReadString(out var text) || text.Length == 0)
        {
            return false;
        }

        var isHost = false;
        if (text.DecodedLength <= LongestName)
        {
            Span<byte> room = stackalloc byte[LongestName];
            var name = room[..text.DecodedLength];
            Decode(block.Slice(text.Start, text.Length), text, name);
            isHost = name.SequenceEqual(":authority"u8) || name.SequenceEqual("host"u8);
        }

        field = new HpackField(text.DecodedLength, isHost, 0);
        return true;
    }

    private static bool Filter(Span<byte> octets, HpackString value)
    {
        if (!value.IsHuffman)
        {
            if (HostValue.IsAccepted(octets))
            {
                return false;
            }

            HostValue.MakeAcceptable(octets);
            return true;
        }

        var rented = value.DecodedLength > UsualLength ? ArrayPool<byte>.Shared.Rent(value.DecodedLength) : null;
        Span<byte> room = rented is null ? stackalloc byte[UsualLength] : rented;
        var text = room[..value.DecodedLength];
        Decode(octets, value, text);
        var changed = !HostValue.IsAccepted(text) && HostValue.TryMakeAcceptable(text, octets);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return changed;
    }

    // The reader has decoded it once, for its length, so that it can be.
    private static void Decode(ReadOnlySpan<byte> octets, HpackString text, Span<byte> destination)
    {
        if (text.IsHuffman)
        {
            HuffmanCode.TryDecode(octets, destination, out _);
        }
        else
        {
            octets.CopyTo(destination);
        }
    }
}
