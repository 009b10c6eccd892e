namespace Yamux.Internal;

/// <summary>A writer's waits as the meter sees them: each from when it could not go on until it can, or gives up, or until it is something else that keeps it. The writer's own; no lock is held.</summary>
internal struct ObservedWait(YamuxSession session)
{
    private SendWait _wait;
    private long? _since; // Null: nobody wants to know.

    /// <summary>It waits for this now, or for nothing.</summary>
    public void Turn(SendWait wait)
    {
        if (wait == _wait)
        {
            return;
        }

        var (ended, since) = (_wait, _since);
        var measures = session.Metrics.Measures(wait);
        var now = measures || since is not null ? session.Options.TimeProvider.GetTimestamp() : 0;
        (_wait, _since) = (wait, measures ? now : null);
        if (since is { } began)
        {
            session.Metrics.OnWaited(ended, session.Options.TimeProvider.GetElapsedTime(began, now)); // Last: whoever hears of it may count on the next wait having begun.
        }
    }
}
