namespace Yamux.Internal;

/// <summary>The life of a stream, as bits that are only ever set. <see cref="YamuxStream"/> sets them in one place, under its gate.</summary>
[Flags]
internal enum StreamState
{
    None = 0,

    /// <summary>We opened it.</summary>
    Outbound = 1,

    /// <summary>The peer has acknowledged our stream, or we have accepted the peer's.</summary>
    Acknowledged = 1 << 1,

    /// <summary>Our reader is done; what comes is dropped.</summary>
    InputCompleted = 1 << 2,

    /// <summary>Our writer is done; FIN follows when what it wrote is on its way.</summary>
    OutputCompleted = 1 << 3,

    /// <summary>Our FIN is on its way.</summary>
    FinSent = 1 << 4,

    /// <summary>The peer's FIN has come.</summary>
    FinReceived = 1 << 5,

    /// <summary>The stream was aborted by either end, or its session has ended.</summary>
    Failed = 1 << 6,

    /// <summary>The stream is no longer one of its session's: both ends have closed it, or it has failed.</summary>
    Removed = 1 << 7,

    /// <summary>Our reader has consumed all and knows the end, or the stream was aborted at this end after it had failed.</summary>
    LetGo = 1 << 8,

    /// <summary>The stream counts no longer among those whose windows its session has to hold.</summary>
    WindowReleased = 1 << 9,
}
