namespace Yamux.Internal;

/// <summary>What a change of a stream's state asks for, to be done after its gate is left.</summary>
[Flags]
internal enum StreamEffects
{
    None = 0,

    /// <summary>A frame was appended and wants to be sent.</summary>
    Flush = 1,

    /// <summary>The stream no longer counts as un-acknowledged: another may be opened.</summary>
    ReleaseOpenSlot = 1 << 1,

    /// <summary>The stream leaves its session, and its Closed token is cancelled.</summary>
    Remove = 1 << 2,

    /// <summary>The peer has sent FIN a second time, which is tolerated and worth a line in the log.</summary>
    ReportRepeatedFin = 1 << 3,

    /// <summary>The stream no longer holds a window: the session may give its place to another.</summary>
    ReleaseWindow = 1 << 4,
}
