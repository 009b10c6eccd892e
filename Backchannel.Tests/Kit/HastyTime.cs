using Microsoft.Extensions.Time.Testing;

namespace Backchannel.Tests.Kit;

/// <summary>A fake clock on which waits of one length are over at once, and are counted.</summary>
/// <param name="length">How long they are.</param>
internal sealed class HastyTime(TimeSpan length) : FakeTimeProvider
{
    private int _count; // Interlocked

    /// <summary>How many there were.</summary>
    public int Count => Volatile.Read(ref _count);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != length)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }

        Interlocked.Increment(ref _count);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
