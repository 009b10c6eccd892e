using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Backchannel.Tests.Authentication;

public class GitalyTokenTests
{
    private const string Secret = "a shared secret";
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [Fact]
    public void A_token_is_v2_the_HMAC_of_the_time_and_the_time()
    {
        // echo -n 1700000000 | openssl dgst -sha256 -hmac 'a shared secret'
        const string Hmac = "ffc9fa6a19794d253b22aefa609133d88a5b83ed28e7c51f4176e7a2d861dd4d";

        Assert.Equal($"v2.{Hmac}.1700000000", GitalyToken.Create(Secret, Time.AddMilliseconds(999)));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(30, true)]
    [InlineData(-30, true)]
    [InlineData(30.001, false)]
    [InlineData(-30.001, false)]
    [InlineData(-31, false)]
    public void A_token_is_good_for_thirty_seconds_in_either_direction(double seconds, bool expected)
        => Assert.Equal(expected, GitalyToken.Verify(GitalyToken.Create(Secret, Time), Secret, Time.AddSeconds(seconds)));

    [Fact]
    public void Another_secret_makes_another_token()
        => Assert.False(GitalyToken.Verify(GitalyToken.Create("another", Time), Secret, Time));

    [Fact]
    public void The_time_is_signed()
        => Assert.False(GitalyToken.Verify(GitalyToken.Create(Secret, Time).Replace("1700000000", "1700000001", StringComparison.Ordinal), Secret, Time));

    [Theory]
    [InlineData("{0}")]
    [InlineData("{0}.{1}")]
    [InlineData("v2.{0}")]
    [InlineData("v2.{0}{1}")]
    [InlineData("v1.{0}.{1}")]
    [InlineData("V2.{0}.{1}")]
    [InlineData("v20.{0}.{1}")]
    [InlineData(".{0}.{1}")]
    [InlineData("{0}.{1}.v2")]
    [InlineData("v2.{1}.{0}")]
    [InlineData("v2..{1}")]
    [InlineData("v2.{0}.")]
    [InlineData("v2.{0}00.{1}")]
    [InlineData("v2.{0}0.{1}")]
    [InlineData("v2.{0}g.{1}")]
    [InlineData("v2.0x{0}.{1}")]
    [InlineData("v2. {0}.{1}")]
    [InlineData("v2.{0}.{1}.1")]
    [InlineData("v2.{0}.0{1}")]
    [InlineData("v2.{0}. {1}")]
    [InlineData(" v2.{0}.{1}")]
    [InlineData("Bearer v2.{0}.{1}")]
    public void What_has_a_good_HMAC_of_a_good_time_and_another_form_is_refused(string form)
    {
        var time = $"{Time.ToUnixTimeSeconds()}";
        var hmac = Hmac(time);
        Assert.True(GitalyToken.Verify($"v2.{hmac}.{time}", Secret, Time)); // It is the form alone.

        Assert.False(GitalyToken.Verify(string.Format(CultureInfo.InvariantCulture, form, hmac, time), Secret, Time));
    }

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("0x6553f100")]
    [InlineData("1700000000.0")]
    [InlineData("1,700,000,000")]
    [InlineData("1.7e9")]
    [InlineData(" 1700000000")]
    [InlineData("1700000000 ")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999")]
    public void A_time_that_is_no_number_is_refused_though_it_is_signed(string time)
        => Assert.False(GitalyToken.Verify($"v2.{Hmac(time)}.{time}", Secret, Time));

    [Fact]
    public void Every_bit_of_the_HMAC_counts()
    {
        var time = $"{Time.ToUnixTimeSeconds()}";
        var hmac = Convert.FromHexString(Hmac(time));

        for (var bit = 0; bit < 8 * hmac.Length; bit++)
        {
            var other = hmac.ToArray();
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(GitalyToken.Verify($"v2.{Convert.ToHexStringLower(other)}.{time}", Secret, Time), $"bit {bit} does not count");
        }
    }

    [Fact]
    public void No_part_of_the_HMAC_is_enough()
    {
        var time = $"{Time.ToUnixTimeSeconds()}";
        var hmac = Hmac(time);

        for (var length = 0; length < hmac.Length; length++)
        {
            Assert.False(GitalyToken.Verify($"v2.{hmac[..length]}.{time}", Secret, Time), $"{length} digits are enough");
        }
    }

    [Fact]
    public void The_HMAC_may_be_written_in_capitals_as_Go_reads_it()
    {
        var time = $"{Time.ToUnixTimeSeconds()}";

        Assert.True(GitalyToken.Verify($"v2.{Hmac(time).ToUpperInvariant()}.{time}", Secret, Time));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(1_700_000_000 + (1L << 57))] // The same time, in ticks of which the higher bits are cut off.
    public void A_time_beyond_all_clocks_is_refused(long seconds)
    {
        var text = $"{seconds}";

        Assert.False(GitalyToken.Verify($"v2.{Hmac(text)}.{text}", Secret, Time));
    }

    [Fact]
    public void An_empty_secret_proves_nothing()
    {
        Assert.Throws<ArgumentException>(() => GitalyToken.Create("", Time));
        Assert.Throws<ArgumentException>(() => GitalyToken.Verify("v2", "", Time));
        Assert.Throws<ArgumentException>(() => new GitalyTokenServerInterceptor(""));
        Assert.Throws<ArgumentException>(() => new GitalyTokenClientInterceptor(""));
    }

    private static string Hmac(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text)));
}
