using Xunit;

namespace Backchannel.Tests.Authentication;

public class AuthenticationTokenTests
{
    private const string Secret = "a shared secret";
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [Fact]
    public void A_token_is_v2_the_HMAC_of_the_time_and_the_time()
    {
        // echo -n 1700000000 | openssl dgst -sha256 -hmac 'a shared secret'
        const string Hmac = "ffc9fa6a19794d253b22aefa609133d88a5b83ed28e7c51f4176e7a2d861dd4d";

        Assert.Equal($"v2.{Hmac}.1700000000", AuthenticationToken.Create(Secret, Time.AddMilliseconds(999)));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(30, true)]
    [InlineData(-30, true)]
    [InlineData(30.001, false)]
    [InlineData(-30.001, false)]
    [InlineData(-31, false)]
    public void A_token_is_good_for_thirty_seconds_in_either_direction(double seconds, bool expected)
        => Assert.Equal(expected, AuthenticationToken.Verify(AuthenticationToken.Create(Secret, Time), Secret, Time.AddSeconds(seconds)));

    [Fact]
    public void Another_secret_makes_another_token()
        => Assert.False(AuthenticationToken.Verify(AuthenticationToken.Create("another", Time), Secret, Time));

    [Fact]
    public void The_time_is_signed()
        => Assert.False(AuthenticationToken.Verify(AuthenticationToken.Create(Secret, Time).Replace("1700000000", "1700000001", StringComparison.Ordinal), Secret, Time));

    [Theory]
    [InlineData("")]
    [InlineData("v2")]
    [InlineData("v2..")]
    [InlineData("v1.00.1700000000")]
    [InlineData("v2.00.1700000000")]
    [InlineData("v2.zz.1700000000")]
    [InlineData("v2.0000000000000000000000000000000000000000000000000000000000000000.1700000000.1")]
    [InlineData("v2.000000000000000000000000000000000000000000000000000000000000000g.1700000000")]
    [InlineData("v2.0000000000000000000000000000000000000000000000000000000000000000.now")]
    [InlineData("v2.0000000000000000000000000000000000000000000000000000000000000000.99999999999999999999")]
    public void What_is_no_token_is_refused(string token)
        => Assert.False(AuthenticationToken.Verify(token, Secret, Time));

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    public void A_time_beyond_all_clocks_is_refused(long seconds)
    {
        var text = $"{seconds}";
        var hmac = Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData("a shared secret"u8, System.Text.Encoding.ASCII.GetBytes(text)));

        Assert.False(AuthenticationToken.Verify($"v2.{hmac}.{text}", Secret, Time));
    }

    [Fact]
    public void An_empty_secret_proves_nothing()
    {
        Assert.Throws<ArgumentException>(() => AuthenticationToken.Create("", Time));
        Assert.Throws<ArgumentException>(() => AuthenticationToken.Verify("v2", "", Time));
        Assert.Throws<ArgumentException>(() => new TokenServerInterceptor(""));
        Assert.Throws<ArgumentException>(() => new TokenClientInterceptor(""));
    }
}
