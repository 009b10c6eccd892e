namespace Yamux.Tests.Telemetry;

/// <summary>A clock that counts how often somebody looks at it.</summary>
public sealed class CountingTime : TestTime
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public override long GetTimestamp()
    {
        Interlocked.Increment(ref _count);
        return base.GetTimestamp();
    }
}
