namespace Yamux.Tests.Isolation;

/// <summary>What stands still, in one way or another, while somebody else must not.</summary>
public enum Offender
{
    /// <summary>Nobody reads a stream, whose window is full.</summary>
    UnreadStream,

    /// <summary>A reader examines all of a stream, and consumes nothing.</summary>
    ExaminingReader,

    /// <summary>A writer is out of credit.</summary>
    WriterWithoutCredit,

    /// <summary>The accept queue is full, and whoever opens one more waits for a slot.</summary>
    FullAcceptQueue,

    /// <summary>The code that follows a read blocks its thread.</summary>
    BlockedReader,

    /// <summary>The code that follows a flush blocks its thread.</summary>
    BlockedWriter,

    /// <summary>The code that follows an accept blocks its thread.</summary>
    BlockedAcceptor,

    /// <summary>A callback of a Closed token blocks its thread.</summary>
    BlockedClosedCallback,

    /// <summary>A stream is disposed, and its peer goes on writing.</summary>
    DisposedStream,

    /// <summary>Another session's transport takes no byte and delivers none.</summary>
    DeadTransport,

    /// <summary>Another session's transport blocks the thread that flushes.</summary>
    BlockingTransport,
}
