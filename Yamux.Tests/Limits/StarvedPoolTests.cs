namespace Yamux.Tests.Limits;

/// <summary>A thread pool without a free thread is this end's own fault, and no silence of the peer's. These run alone, since there is one pool.</summary>
[CollectionDefinition(nameof(StarvedPoolTests), DisableParallelization = true)]
[Collection(nameof(StarvedPoolTests))]
public class StarvedPoolTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_came_and_waits_for_a_thread_is_seen_before_the_session_ends(bool answers)
    {
        const int MoreThanThereAreThreads = 2000;
        await using var t = Scenario.Client(options => options.EnableKeepAlive = true);
        using var released = new ManualResetEventSlim();
        t.Time.Advance(TimeSpan.FromSeconds(30));
        var ping = await t.Peer.ReadAsync();

        // On a thread of its own, for the pool's are about to be taken.
        await Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < MoreThanThereAreThreads; i++)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(static released => released.Wait(), released, preferLocal: false);
                }

                if (answers)
                {
                    Assert.True(t.Peer.SendAsync(Frame.Pong(ping.Length)).IsCompletedSuccessfully);
                }

                t.Time.Advance(TimeSpan.FromSeconds(10));
                t.Time.Advance(TimeSpan.FromMilliseconds(200));
                released.Set();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Guarded();

        if (answers)
        {
            await t.Peer.ExpectNothingAsync();
            t.Time.Advance(TimeSpan.FromSeconds(1));
            await t.Peer.ExpectNothingAsync();
        }
        else
        {
            await t.Time.TimerSetAsync(TimeSpan.FromSeconds(1));
            t.Time.Advance(TimeSpan.FromSeconds(1));
            await Guard.FailsWithAsync(YamuxErrorCode.KeepAliveTimeout, t.Session.Completion);
        }
    }
}
