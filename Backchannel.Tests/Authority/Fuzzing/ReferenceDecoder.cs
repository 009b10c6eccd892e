using System.Text;

namespace Backchannel.Tests.Authority.Fuzzing;

/// <summary>HPACK as the standard has it, with all strings and no haste: what the filter is compared with. Huffman's code is Kestrel's.</summary>
internal sealed class ReferenceDecoder
{
    private const int Limit = 4096;

    private static readonly string[] StaticNames =
    [
        ":authority", ":method", ":method", ":path", ":path", ":scheme", ":scheme", ":status", ":status", ":status", ":status", ":status", ":status", ":status",
        "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept", "access-control-allow-origin", "age", "allow", "authorization",
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-length", "content-location", "content-range", "content-type",
        "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "last-modified", "link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh", "retry-after", "server",
        "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
    ];

    private readonly List<(string Name, string Value)> _table = [];
    private int _size = Limit;

    /// <summary>The fields of a block, or null if it is none.</summary>
    public List<ReferenceField>? Decode(byte[] block)
    {
        try
        {
            return DecodeFields(block);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private List<ReferenceField> DecodeFields(byte[] block)
    {
        List<ReferenceField> fields = [];
        for (var at = 0; at < block.Length;)
        {
            var kind = block[at];
            if (kind >= 0x80)
            {
                var (name, value) = Get(Integer(block, ref at, 0x7F));
                fields.Add(new ReferenceField(name, value, 0, 0));
            }
            else if (kind is >= 0x20 and < 0x40)
            {
                _size = fields.Count == 0 ? Integer(block, ref at, 0x1F) : int.MaxValue;
                Check(_size <= Limit);
                Shrink(0);
            }
            else
            {
                var index = Integer(block, ref at, kind >= 0x40 ? 0x3F : 0x0F);
                var name = index == 0 ? Text(block, ref at, out _) : Get(index).Name;
                Check(name.Length > 0);
                var value = Text(block, ref at, out var start);
                fields.Add(new ReferenceField(name, value, start, at));
                if (kind >= 0x40)
                {
                    Shrink(Size((name, value)));
                    if (Size((name, value)) <= _size)
                    {
                        _table.Insert(0, (name, value));
                    }
                }
            }
        }

        return fields;
    }

    private (string Name, string Value) Get(int index)
    {
        Check(index >= 1 && index <= StaticNames.Length + _table.Count);
        return index <= StaticNames.Length ? (StaticNames[index - 1], "") : _table[index - StaticNames.Length - 1];
    }

    private void Shrink(int room)
    {
        while (_table.Count > 0 && _table.Sum(Size) + room > _size)
        {
            _table.RemoveAt(_table.Count - 1);
        }
    }

    private static int Size((string Name, string Value) field) => field.Name.Length + field.Value.Length + 32;

    private static int Integer(byte[] block, ref int at, int most)
    {
        Check(at < block.Length);
        long value = block[at++] & most;
        for (var shift = 0; value >= most; shift += 7)
        {
            Check(at < block.Length && shift <= 28);
            var octet = block[at++];
            value += (octet & 0x7FL) << shift;
            Check(value <= int.MaxValue);
            if (octet < 0x80)
            {
                Check(octet != 0 || shift == 0);
                break;
            }
        }

        return (int)value;
    }

    private static string Text(byte[] block, ref int at, out int start)
    {
        Check(at < block.Length);
        var isHuffman = block[at] >= 0x80;
        var length = Integer(block, ref at, 0x7F);
        Check(length <= block.Length - at);
        start = at;
        at += length;
        if (!isHuffman)
        {
            return Encoding.Latin1.GetString(block, start, length);
        }

        Check(KestrelHuffman.TryDecode(block.AsSpan(start, length), out var text));
        return Encoding.Latin1.GetString(text);
    }

    private static void Check(bool condition)
    {
        if (!condition)
        {
            throw new FormatException();
        }
    }
}
