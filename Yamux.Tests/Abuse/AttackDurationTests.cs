namespace Yamux.Tests.Abuse;

/// <summary>The environment variable that makes the attacks shorter or longer.</summary>
public class AttackDurationTests
{
    [Fact]
    public void The_length_of_an_attack_is_3_seconds_or_what_is_asked_for()
    {
        Assert.Equal(3, AttackDuration.Parse(null));
        Assert.Equal(3, AttackDuration.Parse(""));
        Assert.Equal(2, AttackDuration.Parse("2"));
        Assert.Equal(3600, AttackDuration.Parse("3600"));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("3601")]
    [InlineData("-5")]
    [InlineData("ten")]
    [InlineData("1.5")]
    public void Another_value_is_refused_in_one_line_that_names_it_and_the_range(string value)
    {
        var error = Assert.Throws<ArgumentException>(() => AttackDuration.Parse(value));

        Assert.Equal($"YAMUX_ABUSE_SECONDS is '{value}'; it must be a whole number of seconds from 2 to 3600.", error.Message);
    }
}
