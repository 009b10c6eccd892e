namespace Yamux.Internal;

/// <summary>What the <see cref="SessionTimer"/> tells its session, never with a lock held.</summary>
internal interface ISessionTimerOwner
{
    /// <summary>The peer did not acknowledge the stream in time, or, if not <paramref name="open"/>, did not close it.</summary>
    void OnDeadline(Deadline deadline, bool open);

    /// <summary>A keepalive ping is due.</summary>
    void OnPingDue();

    /// <summary>Nothing has moved for as long as the options allow.</summary>
    void OnSilence(Silence silence);
}
