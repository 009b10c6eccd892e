using System.Text;
using Xunit;

namespace Backchannel.Tests.Authority;

/// <summary>The code is the standard's, and what is no code is refused where Kestrel refuses it.</summary>
public class HuffmanCodeTests
{
    // RFC 7541, Appendix C.4 and C.6.
    [Theory]
    [InlineData("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff")]
    [InlineData("no-cache", "a8eb10649cbf")]
    [InlineData("custom-key", "25a849e95ba97d7f")]
    [InlineData("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff")]
    [InlineData("foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1", "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")]
    public void The_examples_of_the_standard(string text, string encoded)
    {
        var octets = new byte[encoded.Length / 2];
        HuffmanCode.Encode(Encoding.ASCII.GetBytes(text), octets);
        Assert.Equal(encoded, Convert.ToHexStringLower(octets));

        var decoded = new byte[text.Length];
        Assert.True(HuffmanCode.TryDecode(octets, decoded, out var length));
        Assert.Equal((text.Length, text), (length, Encoding.ASCII.GetString(decoded)));
    }

    [Fact]
    public void Every_symbol_decodes_to_itself_in_Kestrel_too()
    {
        for (var symbol = 0; symbol <= 255; symbol++)
        {
            byte[] text = [(byte)'a', (byte)symbol, (byte)symbol, (byte)'0'];
            var octets = new byte[(HuffmanCode.GetBitCount(text) + 7) / 8];
            HuffmanCode.Encode(text, octets);
            AssertSame(octets);
            Assert.True(HuffmanCode.TryDecode(octets, default, out var length));
            Assert.Equal(4, length);
        }
    }

    [Fact]
    public void All_short_strings_decode_as_in_Kestrel_or_as_little()
    {
        AssertSame([]);
        for (var octets = 0; octets < 0x1_0000; octets++)
        {
            AssertSame([(byte)octets]);
            AssertSame([(byte)(octets >> 8), (byte)octets]);
            AssertSame([0xFF, (byte)(octets >> 8), (byte)octets]);
            AssertSame([0xFF, 0xFF, (byte)(octets >> 8), (byte)octets]);
        }
    }

    [Fact]
    public void Random_strings_decode_as_in_Kestrel_or_as_little()
    {
        var random = new Random(1);
        for (var i = 0; i < 50_000; i++)
        {
            var octets = new byte[random.Next(1, 40)];
            random.NextBytes(octets);
            if (random.Next(2) == 0)
            {
                octets.AsSpan(random.Next(octets.Length)).Fill(0xFF);
            }

            AssertSame(octets);
        }
    }

    private static void AssertSame(byte[] octets)
    {
        var isDecodedThere = KestrelHuffman.TryDecode(octets, out var theirs);
        var ours = new byte[128];
        var isDecoded = HuffmanCode.TryDecode(octets, ours, out var length);
        Assert.True(
            isDecoded == isDecodedThere && (!isDecoded || ours.AsSpan(0, length).SequenceEqual(theirs)), $"{Convert.ToHexString(octets)} is read otherwise than by Kestrel.");
    }
}
