using Microsoft.Extensions.Time.Testing;

namespace Yamux.Tests.Kit;

/// <summary>
/// A clock that stands still until the test moves it, and that tells when the engine has set a timer: to move it before that
/// would be a race.
/// </summary>
public class TestTime : FakeTimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<DateTimeOffset> _set = [];
    private readonly List<(DateTimeOffset At, TaskCompletionSource Done)> _waiting = [];
    private int _liveTimers;

    /// <summary>How many timers there are that nobody has disposed.</summary>
    public int LiveTimers => Volatile.Read(ref _liveTimers);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Observed(this, base.CreateTimer(callback, state, dueTime, period));
        Interlocked.Increment(ref _liveTimers);
        OnSet(dueTime);
        return timer;
    }

    /// <summary>Moves the clock. All that is due by then has run when it returns.</summary>
    /// <remarks>
    /// The base class leaves that to another thread if one is running timers at this moment, as each does that sets one. What was due would run late then, on a
    /// clock that the test has moved on: a timeout that begins there ends where no test waits for it.
    /// </remarks>
    public new void Advance(TimeSpan delta)
    {
        base.Advance(delta);
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var last = base.CreateTimer(_ => ran.SetResult(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        ran.Task.Guarded().GetAwaiter().GetResult();
    }

    /// <summary>Waits until a timer has been set that is due after this time, or after one of these.</summary>
    public Task TimerSetAsync(params TimeSpan[] dueTimes)
    {
        var now = GetUtcNow();
        lock (_gate)
        {
            if (dueTimes.Any(dueTime => _set.Contains(now + dueTime)))
            {
                return Task.CompletedTask;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.AddRange(dueTimes.Select(dueTime => (now + dueTime, done)));
            return done.Task.Guarded();
        }
    }

    private void OnSet(TimeSpan dueTime)
    {
        if (dueTime == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var at = GetUtcNow() + dueTime;
        lock (_gate)
        {
            _set.Add(at);
            foreach (var (_, done) in _waiting.Where(waiter => waiter.At == at))
            {
                done.TrySetResult();
            }
        }
    }

    private sealed class Observed(TestTime time, ITimer inner) : ITimer
    {
        private int _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = inner.Change(dueTime, period);
            time.OnSet(dueTime);
            return changed;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Interlocked.Decrement(ref time._liveTimers);
                inner.Dispose();
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
