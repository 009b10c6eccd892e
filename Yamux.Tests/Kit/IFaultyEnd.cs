using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Kit;

/// <summary>
/// An end of a connection that fails, ends, stalls or trickles after so many bytes on one of its sides. Without a fault it
/// only counts.
/// </summary>
public interface IFaultyEnd
{
    TransportFault? Fault { get; }

    /// <summary>Completes when the fault shows.</summary>
    Task Reached { get; }

    /// <summary>What the session was given, and has dealt with.</summary>
    FrameTally Received { get; }

    /// <summary>How many bytes were taken from the session.</summary>
    long Written { get; }

    /// <summary>Whether the session was told that its peer sends nothing more.</summary>
    bool HasEnded { get; }

    /// <summary>Whether the session has let go of the connection.</summary>
    bool IsReleased { get; }

    /// <summary>How many timers of the session's clock may outlive it.</summary>
    int LastingTimers => 0;

    /// <summary>Completes when the connection is released, where that is not the session's to do.</summary>
    Task WaitForReleaseAsync() => Task.CompletedTask;

    /// <summary>Starts a session on it.</summary>
    YamuxSession CreateSession(YamuxRole role, YamuxOptions options, ILogger logger);
}
