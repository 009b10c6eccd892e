using System.Text;
using Xunit;

namespace Backchannel.Tests.Authority;

/// <summary>What is a host is Kestrel's to say. This asks the Kestrel that runs.</summary>
public class HostValueTests
{
    [Fact]
    public void A_byte_is_accepted_wherever_Kestrel_accepts_it()
    {
        foreach (var text in (string[])["?", "a?", "?a", "a?b", "a:?", "a:1?", "[?::1]", "[::1?", "[::1]?", "[::1]:?", "[::1]:1?"])
        {
            for (var octet = 0; octet <= 255; octet++)
            {
                AssertSame(text.Replace('?', (char)octet));
            }
        }
    }

    [Fact]
    public void Every_short_mixture_of_what_hosts_are_made_of_is_judged_as_Kestrel_does()
    {
        const string Characters = "[]:.1fg-%";
        for (var length = 0; length <= 6; length++)
        {
            for (var number = 0; number < Math.Pow(Characters.Length, length); number++)
            {
                var text = new char[length];
                for (var (i, rest) = (0, number); i < length; i++, rest /= Characters.Length)
                {
                    text[i] = Characters[rest % Characters.Length];
                }

                AssertSame(new string(text));
            }
        }
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(13, 1)]
    [InlineData(30, 4)]
    [InlineData(30, 100)]
    public void A_changed_value_has_as_many_characters_and_octets_as_before(int most, int length)
    {
        var random = new Random(most + length);
        var symbols = Enumerable.Range(0, 256).Select(symbol => (byte)symbol).Where(symbol => HuffmanCode.GetBitCount(symbol) <= most).ToArray();
        var changed = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var text = random.GetItems(symbols, length);
            var few = random.Next(length + 1);
            random.GetItems("multiplexed/127.0.0.1:80"u8, few).CopyTo(text.AsSpan());
            var bits = HuffmanCode.GetBitCount(text);
            var encoded = new byte[(bits + 7) / 8];
            HuffmanCode.Encode(text, encoded);
            var before = encoded.ToArray();
            if (!HostValue.TryMakeAcceptable(text, encoded))
            {
                Assert.True(((encoded.Length - 1) * 8) + 1 > 13 * length);
                Assert.Equal(before, encoded);
                continue;
            }

            var decoded = new byte[length];
            Assert.True(HuffmanCode.TryDecode(encoded, decoded, out var count));
            Assert.Equal(length, count);
            Assert.True(HostValue.IsAccepted(decoded), Encoding.Latin1.GetString(decoded));
            changed++;
        }

        Assert.True(most <= 13 ? changed == 10_000 : changed is > 1000 and < 10_000, $"{changed} were changed.");
    }

    private static void AssertSame(string text)
        => Assert.True(KestrelHost.IsValid(text) == HostValue.IsAccepted(Encoding.Latin1.GetBytes(text)), $"Kestrel says {KestrelHost.IsValid(text)} to '{text}'.");
}
