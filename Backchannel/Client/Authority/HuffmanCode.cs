namespace Backchannel;

/// <summary>HPACK's Huffman code (RFC 7541, Appendix B). It is canonical, so that the lengths of its codes are all there is to know.</summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;

    // One table for both directions: the symbols in the order of their codes, and for each length the first code, left-justified.
    private static readonly uint[] Codes = new uint[EndOfString + 1];
    private static readonly ushort[] Symbols = new ushort[EndOfString + 1];
    private static readonly CodeRange[] Ranges = BuildRanges();

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    /// <summary>How many bits the code of <paramref name="symbol"/> has: 5 to 30.</summary>
    public static int GetBitCount(byte symbol) => Lengths[symbol];

    /// <summary>How many bits the codes of <paramref name="text"/> have together.</summary>
    public static long GetBitCount(ReadOnlySpan<byte> text)
    {
        long bits = 0;
        foreach (var symbol in text)
        {
            bits += Lengths[symbol];
        }

        return bits;
    }

    /// <summary>Decodes a string. False if it is none: it has the code of the end, or is not padded with less than eight ones.</summary>
    /// <param name="source">The codes.</param>
    /// <param name="destination">Takes as much as it has room for; empty to learn the length alone.</param>
    /// <param name="length">The length of the whole.</param>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> destination, out int length)
    {
        length = 0;
        ulong pending = 0; // Its lowest bits have not been decoded.
        var bits = 0;
        while (true)
        {
            while (bits <= 32 && !source.IsEmpty)
            {
                pending = (pending << 8) | source[0];
                source = source[1..];
                bits += 8;
            }

            // Left-justified; behind the end come ones, as in the padding, so that no code is found there but the end's.
            var window = bits >= 32 ? (uint)(pending >> (bits - 32)) : (uint)((pending << (32 - bits)) | (uint.MaxValue >> bits));
            var range = Find(window);
            if (range.BitCount > bits)
            {
                return bits < 8 && window == uint.MaxValue;
            }

            var symbol = Symbols[range.FirstSymbol + (int)((window - range.FirstCode) >> (32 - range.BitCount))];
            if (symbol == EndOfString)
            {
                return false;
            }

            if (length < destination.Length)
            {
                destination[length] = (byte)symbol;
            }

            length++;
            bits -= range.BitCount;
        }
    }

    /// <summary>Writes the codes of <paramref name="text"/>, with ones up to the end of their last octet.</summary>
    public static void Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        ulong pending = 0;
        var bits = 0;
        var next = 0;
        foreach (var symbol in text)
        {
            var count = Lengths[symbol];
            pending = (pending << count) | (Codes[symbol] >> (32 - count));
            bits += count;
            for (; bits >= 8; bits -= 8)
            {
                destination[next++] = (byte)(pending >> (bits - 8));
            }
        }

        if (bits > 0)
        {
            destination[next] = (byte)((pending << (8 - bits)) | (0xFFu >> bits));
        }
    }

    private static CodeRange Find(uint window)
    {
        foreach (var range in Ranges)
        {
            if (window <= range.LastCode)
            {
                return range;
            }
        }

        return Ranges[^1]; // Its last code is all ones.
    }

    private static CodeRange[] BuildRanges()
    {
        var ranges = new List<CodeRange>();
        ulong code = 0;
        var symbols = 0;
        for (var bits = 1; bits <= 30; bits++)
        {
            var (firstCode, firstSymbol) = ((uint)code, symbols);
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] == bits)
                {
                    Codes[symbol] = (uint)code;
                    Symbols[symbols++] = (ushort)symbol;
                    code += 1UL << (32 - bits);
                }
            }

            if (symbols > firstSymbol)
            {
                ranges.Add(new CodeRange(bits, firstCode, (uint)(code - 1), firstSymbol));
            }
        }

        return [.. ranges];
    }

    /// <summary>The codes of one length, left-justified in 32 bits.</summary>
    private readonly record struct CodeRange(int BitCount, uint FirstCode, uint LastCode, int FirstSymbol);
}
