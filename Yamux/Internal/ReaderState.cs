namespace Yamux.Internal;

/// <summary>Where a <see cref="StreamReader"/> is.</summary>
internal enum ReaderState : byte
{
    None,

    /// <summary>It waits for bytes, or the end.</summary>
    Waiting,

    /// <summary>It waited, and is about to go on.</summary>
    Woken,

    /// <summary>It has a buffer in hand, which must stay valid until it advances.</summary>
    BufferOut,

    /// <summary>The same, from a read that was cancelled: it may advance, or read again as if it had not read.</summary>
    Tentative,
}
