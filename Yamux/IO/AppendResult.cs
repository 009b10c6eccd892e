namespace Yamux.IO;

/// <summary>What became of a Data frame that was given to the <see cref="FrameWriter"/>.</summary>
internal enum AppendResult
{
    /// <summary>The frame is on its way; its payload was copied.</summary>
    Appended,

    /// <summary>Too much waits to be sent. The signal given with the frame is set when it is worth trying again.</summary>
    Blocked,

    /// <summary>The session has ended; the frame was dropped.</summary>
    Stopped,
}
