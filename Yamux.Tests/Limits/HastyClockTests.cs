using Microsoft.Extensions.Time.Testing;

namespace Yamux.Tests.Limits;

/// <summary>A clock that somebody moves while a session sets its timer.</summary>
public class HastyClockTests
{
    [Fact]
    public async Task A_timeout_is_not_lost_when_the_clock_has_passed_it_before_the_timer_is_set()
    {
        var time = new HastyTime();
        var (ours, _) = DuplexPipe.CreatePair(DuplexPipe.Rendezvous);
        var options = new YamuxOptions { TimeProvider = time, EnableKeepAlive = false, StreamOpenTimeout = Timeout.InfiniteTimeSpan };
        var session = YamuxSession.Create(ours, YamuxRole.Client, options);
        time.PassesNextTimer = true;

        await session.OpenStreamAsync().Guarded(); // Its SYN waits for a transport that takes nothing.

        await Guard.FailsWithAsync(YamuxErrorCode.ConnectionWriteTimeout, session.Completion);
    }

    private sealed class HastyTime : FakeTimeProvider
    {
        public bool PassesNextTimer { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => new HastyTimer(this, base.CreateTimer(callback, state, dueTime, period));
    }

    private sealed class HastyTimer(HastyTime time, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (!time.PassesNextTimer || dueTime == Timeout.InfiniteTimeSpan)
            {
                return inner.Change(dueTime, period);
            }

            time.PassesNextTimer = false;
            time.Advance(dueTime);
            return inner.Change(TimeSpan.Zero, period); // Calls at once.
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
