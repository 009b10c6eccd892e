namespace Yamux.Tests.Model;

/// <summary>What may have ended a session; the first that came did.</summary>
[Flags]
internal enum Causes
{
    None = 0,
    Disposed = 1,
    Aborted = 2,
    AbortedWithReason = 4,

    /// <summary>The transport ended, between two frames.</summary>
    Ended = 8,

    /// <summary>The transport ended in the middle of a frame, or failed.</summary>
    Failed = 16,

    ByUser = Disposed | Aborted | AbortedWithReason,
}
