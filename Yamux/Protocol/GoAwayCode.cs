namespace Yamux.Protocol;

/// <summary>The reason carried by a GoAway frame (yamux spec, "Go Away").</summary>
internal enum GoAwayCode : uint
{
    /// <summary>An orderly end.</summary>
    Normal = 0,

    /// <summary>The receiver of this frame broke the protocol.</summary>
    ProtocolError = 1,

    /// <summary>The sender of this frame failed by its own fault.</summary>
    InternalError = 2,
}
