using Xunit;

namespace Backchannel.Tests.Agents;

/// <summary>How long an agent waits before it tries again.</summary>
public class BackoffTests
{
    [Fact]
    public void The_bound_doubles_to_the_greatest_and_the_wait_is_anything_up_to_it()
    {
        var backoff = New(1);
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30, 30], Enumerable.Range(0, 9).Select(_ => backoff.Next().TotalSeconds));
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(_ => New(0).Next().TotalSeconds));
    }

    [Fact]
    public void The_first_wait_behind_a_good_connection_is_within_a_second_and_the_bound_begins_anew()
    {
        var backoff = New(1);
        for (var i = 0; i < 100; i++)
        {
            backoff.Next();
        }

        backoff.Reset();

        Assert.Equal([1, 0.5, 1, 2], Enumerable.Range(0, 4).Select(_ => backoff.Next().TotalSeconds));
    }

    [Fact]
    public void A_refusal_that_lasts_waits_for_the_greatest_time()
        => Assert.Equal(30, New(0).Next(isLasting: true).TotalSeconds);

    [Fact]
    public void What_the_server_says_is_the_least_and_not_all_come_together()
    {
        Assert.Equal(7, New(0).Next(atLeast: TimeSpan.FromSeconds(7)).TotalSeconds);
        Assert.Equal(7.5, New(1).Next(atLeast: TimeSpan.FromSeconds(7)).TotalSeconds);
    }

    [Fact]
    public void A_greatest_time_below_a_second_bounds_the_first_wait_too()
    {
        var backoff = new AgentBackoff(new BackchannelAgentOptions { MinBackoff = TimeSpan.FromMilliseconds(1), MaxBackoff = TimeSpan.FromMilliseconds(2) }, () => 1);
        backoff.Reset();

        Assert.Equal([2, 1, 2, 2], Enumerable.Range(0, 4).Select(_ => backoff.Next().TotalMilliseconds));
    }

    private static AgentBackoff New(double random) => new(new BackchannelAgentOptions(), () => random);
}
