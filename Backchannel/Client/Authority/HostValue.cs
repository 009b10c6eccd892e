using System.Buffers;

namespace Backchannel;

/// <summary>What Kestrel takes for a host, and what becomes of a value that it would refuse.</summary>
internal static class HostValue
{
    // RFC 3986's reg-name, but for percent and what Http.Sys does not take.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("!$&'()-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create(":.0123456789ABCDEFabcdef"u8);

    /// <summary>Whether Kestrel takes <paramref name="value"/>: nothing, a name or an address in brackets, and perhaps a port.</summary>
    public static bool IsAccepted(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return true;
        }

        int end;
        if (value[0] == (byte)'[')
        {
            // The shortest address is [::1], says Kestrel; what the digits mean it does not look at.
            var address = value[1..].IndexOfAnyExcept(AddressBytes);
            if (address < 3 || value[address + 1] != (byte)']')
            {
                return false;
            }

            end = address + 2;
        }
        else
        {
            end = value.IndexOfAnyExcept(NameBytes);
            if (end == 0)
            {
                return false;
            }
        }

        return end < 0 || end == value.Length || IsPort(value[end..]);
    }

    /// <summary>Changes each byte that no host may have, so that <see cref="IsAccepted"/>. A port stays one.</summary>
    public static void MakeAcceptable(Span<byte> value)
    {
        var colon = value.LastIndexOf((byte)':');
        var port = colon > 0 && IsPort(value[colon..]) ? colon : -1;
        for (var i = 0; i < value.Length; i++)
        {
            if (i != port && !NameBytes.Contains(value[i]))
            {
                value[i] = GetSubstitute(value[i]);
            }
        }
    }

    /// <summary>
    /// Changes a Huffman-coded value in its octets, so that it has as many characters as before. False: it cannot be done, since more than
    /// 13 bits come on each, which nobody sends who codes what gets shorter by it.
    /// </summary>
    public static bool TryMakeAcceptable(Span<byte> text, Span<byte> encoded)
    {
        MakeAcceptable(text);
        var bits = HuffmanCode.GetBitCount(text);
        var least = ((encoded.Length - 1) * 8L) + 1;
        if (bits < least)
        {
            // Something had a longer code than any character of a host. Each tilde is at most eight bits longer than what it replaces, so
            // that it cannot go past the last octet. From the front, so that a port goes as a whole or stays.
            for (var i = 0; i < text.Length && bits < least; i++)
            {
                bits += HuffmanCode.GetBitCount((byte)'~') - HuffmanCode.GetBitCount(text[i]);
                text[i] = (byte)'~';
            }
        }

        if (bits < least)
        {
            return false;
        }

        HuffmanCode.Encode(text, encoded);
        return true;
    }

    private static bool IsPort(ReadOnlySpan<byte> value) => value.Length > 1 && value[0] == (byte)':' && !value[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9');

    // Of as many bits in Huffman's code, where there is such a character; else of fewer.
    private static byte GetSubstitute(byte refused) => HuffmanCode.GetBitCount(refused) switch
    {
        6 => refused == (byte)'/' ? (byte)'.' : (byte)'-',
        7 => (byte)'x',
        8 => (byte)'X',
        10 => (byte)'!',
        11 or 12 => (byte)'\'',
        _ => (byte)'~',
    };
}
