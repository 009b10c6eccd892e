using Conformance.Wire;

namespace Interop.Tests.JavaScript;

/// <summary>Finds the headers in one direction of a connection, whose bytes come in pieces of any size.</summary>
internal sealed class FrameSplitter
{
    private readonly byte[] _header = new byte[Frame.HeaderSize];
    private int _headerLength;
    private long _payloadLeft;

    /// <summary>The frames whose headers end in these bytes.</summary>
    public List<Frame> Split(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<Frame>();
        while (!bytes.IsEmpty)
        {
            if (_payloadLeft > 0)
            {
                var skipped = (int)Math.Min(bytes.Length, _payloadLeft);
                _payloadLeft -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            var count = Math.Min(bytes.Length, Frame.HeaderSize - _headerLength);
            bytes[..count].CopyTo(_header.AsSpan(_headerLength));
            bytes = bytes[count..];
            _headerLength += count;
            if (_headerLength == Frame.HeaderSize)
            {
                var frame = Frame.ReadHeader(_header);
                _headerLength = 0;
                _payloadLeft = frame.Type == FrameType.Data ? frame.Length : 0;
                frames.Add(frame);
            }
        }

        return frames;
    }
}
