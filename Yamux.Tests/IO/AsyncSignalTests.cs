using Yamux.IO;

namespace Yamux.Tests.IO;

/// <summary>
/// What writers wait on. Through the public face a signal comes between the look at the credit and the wait so rarely that
/// its loss would show after hours.
/// </summary>
public class AsyncSignalTests
{
    [Fact]
    public void A_signal_that_comes_while_nobody_waits_lets_the_next_waiter_through_and_only_that_one()
    {
        var signal = new AsyncSignal();
        signal.Set();
        signal.Set();

        Assert.True(signal.WaitAsync().AsTask().IsCompletedSuccessfully);
        Assert.False(signal.WaitAsync().AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_signal_wakes_the_waiter_and_is_used_up()
    {
        var signal = new AsyncSignal();
        var first = signal.WaitAsync().AsTask();
        Assert.False(first.IsCompleted);

        signal.Set();

        await first.Guarded();
        Assert.False(signal.WaitAsync().AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_waiter_that_is_woken_a_thousand_times_misses_none()
    {
        var signal = new AsyncSignal();
        var answer = new AsyncSignal();
        var waiter = Task.Run(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await signal.WaitAsync();
                answer.Set();
            }
        });
        for (var i = 0; i < 1000; i++)
        {
            signal.Set();
            await answer.WaitAsync().AsTask().Guarded();
        }

        await waiter.Guarded();
    }
}
