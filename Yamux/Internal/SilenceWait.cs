namespace Yamux.Internal;

/// <summary>A wait for something to move on the connection, and the last look when it is over. Each has its own: what ends one need not end the other. Under its timer's lock.</summary>
internal sealed class SilenceWait(SessionTimer timer) : IThreadPoolWorkItem
{
    private Silence _silence;

    /// <summary>Whether there is to be a last look, which says how it goes on.</summary>
    public bool IsLooking { get; private set; }

    /// <summary>When it is over, by the timer's clock.</summary>
    public long Due { get; set; } = SessionTimer.Never;

    /// <summary>How much had moved when it began.</summary>
    public long Mark { get; private set; }

    /// <summary>When the wait was over that is looked at.</summary>
    public long LookDue { get; private set; }

    /// <summary>How much had moved when that began.</summary>
    public long LookMark { get; private set; }

    /// <summary>How many writes had ended when it was over.</summary>
    public long LookWrites { get; private set; }

    /// <summary>How many looks in a row came too late themselves.</summary>
    public int LateLooks { get; private set; }

    /// <summary>A new one.</summary>
    public void Begin(long due, long mark) => (Due, Mark, LateLooks) = (due, mark, 0);

    /// <summary>It goes on, since the look itself came too late.</summary>
    public void GoOn(long due) => (Due, Mark, LateLooks) = (due, LookMark, LateLooks + 1);

    /// <summary>It is over, and nothing has moved: there is a look, behind the work that the pool has, unless there is one already.</summary>
    public void TryBeginLook(Silence silence, long writes)
    {
        if (!IsLooking)
        {
            (IsLooking, _silence, LookDue, LookMark, LookWrites) = (true, silence, Due, Mark, writes);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <returns>Whose silence it was that was to be looked at.</returns>
    public Silence EndLook()
    {
        IsLooking = false;
        return _silence;
    }

    void IThreadPoolWorkItem.Execute() => timer.Look(this);
}
