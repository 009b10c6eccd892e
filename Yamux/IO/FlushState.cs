namespace Yamux.IO;

/// <summary>Who flushes a <see cref="FrameWriter"/>, in the order in which it comes about.</summary>
internal enum FlushState
{
    /// <summary>Nobody does, or need.</summary>
    Idle,

    /// <summary>Whoever comes first: the work item that is queued for it, or somebody who flushes.</summary>
    Scheduled,

    /// <summary>The same, and the work item waits for somebody who is still adding.</summary>
    Gathering,

    /// <summary>There is a flusher, who has a write to make or makes it.</summary>
    Writing,

    /// <summary>There is none until the write that is under way has ended.</summary>
    Waiting,

    /// <summary>There is none until the work item runs, which makes the write.</summary>
    HandedOver,
}
