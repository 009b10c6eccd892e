namespace Yamux.Protocol;

/// <summary>The third and fourth byte of a frame header (yamux spec, "Flag Field").</summary>
[Flags]
internal enum FrameFlags : ushort
{
    None = 0,

    /// <summary>Opens a stream, or asks for a ping answer.</summary>
    Syn = 1,

    /// <summary>Accepts a stream, or answers a ping.</summary>
    Ack = 2,

    /// <summary>The sender writes no more on this stream.</summary>
    Fin = 4,

    /// <summary>The stream is aborted in both directions.</summary>
    Rst = 8,
}
