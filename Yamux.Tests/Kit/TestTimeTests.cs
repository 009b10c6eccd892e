namespace Yamux.Tests.Kit;

/// <summary>The clock of the tests, where two threads meet on it.</summary>
public class TestTimeTests
{
    [Fact]
    public async Task What_is_due_runs_before_the_clock_goes_on_though_another_thread_is_running_timers()
    {
        var time = new TestTime();
        using var running = new ManualResetEventSlim();
        using var released = new ManualResetEventSlim();
        var start = time.GetUtcNow();
        var ranAt = new TaskCompletionSource<DateTimeOffset>(TaskCreationOptions.RunContinuationsAsynchronously);
        var setting = Task.Run(() => time.CreateTimer(_ => Block(running, released), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan));
        running.Wait();
        await using var timer = time.CreateTimer(_ => ranAt.SetResult(time.GetUtcNow()), null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);

        var advancing = Task.Run(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            time.Advance(TimeSpan.FromSeconds(10));
        });
        SpinWait.SpinUntil(() => time.GetUtcNow() != start);
        released.Set();

        Assert.Equal(start + TimeSpan.FromSeconds(10), await ranAt.Task.Guarded());
        await advancing.Guarded();
        await (await setting.Guarded()).DisposeAsync();
    }

    private static void Block(ManualResetEventSlim running, ManualResetEventSlim released)
    {
        running.Set();
        released.Wait();
    }
}
