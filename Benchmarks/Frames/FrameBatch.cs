using Yamux.Protocol;

namespace Benchmarks.Frames;

/// <summary>Frames in the order in which a peer sends them.</summary>
internal sealed class FrameBatch
{
    private readonly List<byte> _bytes = [];

    /// <summary>How many frames there are.</summary>
    public int Count { get; private set; }

    /// <summary>The frames as the transport brings them.</summary>
    public byte[] ToBytes() => [.. _bytes];

    /// <summary>Adds a frame of each id. A Data frame has a payload of <paramref name="length"/> bytes.</summary>
    public FrameBatch Add(FrameType type, FrameFlags flags, IEnumerable<uint> ids, uint length = 0)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        foreach (var id in ids)
        {
            new FrameHeader(type, flags, id, length).Write(header);
            _bytes.AddRange(header);
            if (type == FrameType.Data)
            {
                _bytes.AddRange(new byte[length]);
            }

            Count++;
        }

        return this;
    }
}
