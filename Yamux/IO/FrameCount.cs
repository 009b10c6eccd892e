using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// How many frames begin in each write of a round. It reads their headers where they lie, so that nothing is counted when they are appended, where nobody wants to know. Guarded by the gate of
/// its <see cref="FrameWriter"/>.
/// </summary>
internal struct FrameCount
{
    /// <summary>Nobody wanted to know when the round began.</summary>
    public const int Unknown = -1;

    private int _next; // How many bytes of the round come before its next frame.

    /// <summary>A round begins, which is of whole frames.</summary>
    public void Begin(bool counts) => _next = counts ? 0 : Unknown;

    /// <summary>The next bytes of the round are about to be written.</summary>
    /// <param name="bytes">What lies in one piece from there on: a header that begins in the write lies in it as a whole.</param>
    /// <param name="count">How many of them are written.</param>
    public int Count(ReadOnlyMemory<byte> bytes, int count)
    {
        if (_next == Unknown)
        {
            return Unknown;
        }

        var frames = 0;
        var span = bytes.Span;
        while (_next < count)
        {
            var header = FrameHeader.Read(span[_next..]);
            _next += FrameHeader.Size + (header.Type == FrameType.Data ? (int)header.Length : 0);
            frames++;
        }

        _next -= count;
        return frames;
    }
}
