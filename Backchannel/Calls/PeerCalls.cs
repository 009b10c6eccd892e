namespace Backchannel;

/// <summary>Counts the calls to a peer that run.</summary>
internal sealed class PeerCalls(int most)
{
    private int _count;

    /// <summary>How many run.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many may run.</summary>
    public int Most => most;

    /// <summary>One begins. False: as many run as may.</summary>
    public bool TryBegin()
    {
        if (Interlocked.Increment(ref _count) <= most)
        {
            return true;
        }

        End();
        return false;
    }

    public void End() => Interlocked.Decrement(ref _count);
}
