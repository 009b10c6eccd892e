namespace Yamux.IO;

/// <summary>Whether a <see cref="FrameWriter"/> still takes frames, and sends them.</summary>
internal enum WriterEnd
{
    /// <summary>It does both.</summary>
    None,

    /// <summary>It sends what it has, and takes no more.</summary>
    Stopped,

    /// <summary>It does neither.</summary>
    Abandoned,
}
