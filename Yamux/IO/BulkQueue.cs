using System.Buffers;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>The frames that small ones may overtake. It knows which streams have any in it.</summary>
internal sealed class BulkQueue() : FrameQueue(MaxPrepended)
{
    // What is put in front of bulk, so that both leave in one write.
    private const int MaxPrepended = 4096;

    // Of each stream that has a frame here that is not taken: where its last one begins, counted from the first byte there ever was.
    private readonly Dictionary<uint, long> _lastFrames = new(StreamIdComparer.Instance);
    private readonly HashSet<uint> _dropped = new(StreamIdComparer.Instance);
    private long _front;

    /// <summary>Whether what the stream says next must stand behind what it has here.</summary>
    public bool Has(uint streamId) => Waiting > 0 && _lastFrames.ContainsKey(streamId);

    /// <summary>What the stream has here that is not taken will never be sent.</summary>
    public void Drop(uint streamId)
    {
        if (Has(streamId))
        {
            _dropped.Add(streamId);
        }
    }

    /// <summary>Takes the first frames, whole ones, until they are of so many bytes.</summary>
    public void Take(int count)
    {
        if (_dropped.Count == 0 && Waiting <= count)
        {
            _front += Waiting;
            _lastFrames.Clear();
            TakeAll();
            return;
        }

        var (skipped, taken) = (0, 0);
        var reader = new SequenceReader<byte>(Content);
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        while (taken < count && reader.TryCopyTo(bytes))
        {
            var header = FrameHeader.Read(bytes);
            var size = FrameHeader.Size + (header.Type == FrameType.Data ? (int)header.Length : 0);
            var isDropped = _dropped.Contains(header.StreamId);
            if (isDropped && taken > 0)
            {
                break;
            }

            (skipped, taken) = isDropped ? (skipped + size, taken) : (skipped, taken + size);
            if (_lastFrames.TryGetValue(header.StreamId, out var last) && last == _front)
            {
                _lastFrames.Remove(header.StreamId);
                _dropped.Remove(header.StreamId);
            }

            _front += size;
            reader.Advance(size);
        }

        Skip(skipped);
        TakeFront(taken);
    }

    public override void Clear()
    {
        base.Clear();
        _lastFrames.Clear();
        _dropped.Clear();
    }

    protected override Memory<byte> Begin(FrameHeader header, int payloadLength)
    {
        _lastFrames[header.StreamId] = _front + Waiting;
        return base.Begin(header, payloadLength);
    }
}
