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

        if (_since is { } since)
        {
            session.Metrics.OnWaited(_wait, session.Options.TimeProvider.GetElapsedTime(since));
        }

        _wait = wait;
        _since = session.Metrics.Measures(wait) ? session.Options.TimeProvider.GetTimestamp() : null;
    }
}
