using System.Buffers;
using System.Text;

namespace Backchannel.Tests.Authority;

/// <summary>Writes header blocks as a test wants them, which need not be as HPACK wants them.</summary>
internal sealed class HpackWriter
{
    public const int Authority = 1;
    public const int Get = 2;
    public const int Post = 3;
    public const int Path = 4;
    public const int Http = 6;
    public const int Host = 38;
    public const int FirstDynamic = 62;

    private readonly ArrayBufferWriter<byte> _block = new();

    public byte[] ToArray() => _block.WrittenSpan.ToArray();

    public HpackWriter Raw(params ReadOnlySpan<byte> octets)
    {
        _block.Write(octets);
        return this;
    }

    /// <summary>A GET of <paramref name="path"/>, but for its authority.</summary>
    public HpackWriter Request(string path = "/") => Field(Get).Field(Http).Literal(Path, path, Indexing.Without, isHuffman: false);

    /// <summary>A field of a table.</summary>
    public HpackWriter Field(int index) => Integer(0x80, 7, index);

    public HpackWriter TableSize(int size) => Integer(0x20, 5, size);

    public HpackWriter Literal(int name, string value, Indexing indexing, bool isHuffman) => Begin(indexing, name).Text(value, isHuffman);

    public HpackWriter Literal(string name, string value, Indexing indexing, bool isHuffman)
        => Begin(indexing, 0).Text(name, isHuffman).Text(value, isHuffman);

    public HpackWriter Begin(Indexing indexing, int name) => indexing switch
    {
        Indexing.Incremental => Integer(0x40, 6, name),
        Indexing.Without => Integer(0x00, 4, name),
        _ => Integer(0x10, 4, name),
    };

    /// <summary>A string: its characters are octets, up to 255.</summary>
    public HpackWriter Text(string value, bool isHuffman)
    {
        var octets = Encoding.Latin1.GetBytes(value);
        if (isHuffman)
        {
            var encoded = new byte[(HuffmanCode.GetBitCount(octets) + 7) / 8];
            HuffmanCode.Encode(octets, encoded);
            return Integer(0x80, 7, encoded.Length).Raw(encoded);
        }

        return Integer(0x00, 7, octets.Length).Raw(octets);
    }

    public HpackWriter Integer(byte kind, int prefix, int value)
    {
        var most = (1 << prefix) - 1;
        if (value < most)
        {
            return Raw((byte)(kind | value));
        }

        Raw((byte)(kind | most));
        for (value -= most; value >= 0x80; value >>= 7)
        {
            Raw((byte)(value | 0x80));
        }

        return Raw((byte)value);
    }
}
