using System.Buffers;
using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// Frames that wait to be sent, in order. Data that follows Data of the same stream lengthens that frame. What is taken is written
/// to the transport from where it lies, while more is appended behind it. Guarded by the gate of its <see cref="FrameWriter"/>.
/// </summary>
internal class FrameQueue(int headroom = 0)
{
    private SegmentedBuffer _bytes;
    private int _segmentSize = SegmentedBuffer.MinSegmentSize;

    // The Data frame at the end that may be lengthened: its header, its stream (0: there is none), and the length of its payload.
    private Memory<byte> _openHeader;
    private uint _openStream;
    private int _openLength;

    /// <summary>How many bytes are taken and not written yet.</summary>
    public int Taken { get; private set; }

    /// <summary>How many bytes wait, without those that are taken.</summary>
    public int Waiting => (int)_bytes.Length - Taken;

    /// <summary>Those bytes of what is taken that lie in one piece at the front.</summary>
    public ReadOnlyMemory<byte> First => _bytes.First is var first && first.Length > Taken ? first[..Taken] : first;

    protected ReadOnlySequence<byte> Content => _bytes.Content;

    public void Append(FrameHeader header)
    {
        _openStream = 0;
        Begin(header, payloadLength: 0);
    }

    /// <summary>Appends Data, which lengthens no frame to more than <paramref name="maxPayload"/>.</summary>
    public void AppendData(uint streamId, in ReadOnlySequence<byte> payload, int maxPayload)
    {
        var length = (int)payload.Length;
        if (_openStream == streamId && _openLength + length <= maxPayload)
        {
            _openLength += length;
            new FrameHeader(FrameType.Data, FrameFlags.None, streamId, (uint)_openLength).Write(_openHeader.Span);
        }
        else
        {
            _openHeader = Begin(new FrameHeader(FrameType.Data, FrameFlags.None, streamId, (uint)length), length);
            (_openStream, _openLength) = (streamId, length);
        }

        _bytes.Write(payload);
    }

    public void TakeAll() => TakeFront(Waiting);

    /// <summary>What was taken of the other queue is written before what was taken of this one: in the same piece, if there is room for it.</summary>
    public void TryPrepend(FrameQueue other)
    {
        if (Taken > 0 && other.First is var first && first.Length == other.Taken && _bytes.TryPrepend(first.Span))
        {
            Taken += first.Length;
            other.OnWritten(first.Length);
        }
    }

    /// <summary>So many bytes of what was taken need not be kept any more.</summary>
    public void OnWritten(int count)
    {
        _bytes.Consume(count);
        Taken -= count;
    }

    public virtual void Clear()
    {
        _bytes.Clear();
        _openStream = 0;
        Taken = 0;
    }

    /// <summary>Takes the first bytes that wait: whole frames. Nothing may be taken already.</summary>
    protected void TakeFront(int count)
    {
        // Arrays as large as what came last: little traffic holds little memory, and much leaves in large writes.
        _segmentSize = Math.Clamp(Waiting, SegmentedBuffer.MinSegmentSize, SegmentedBuffer.MaxSegmentSize);
        Taken = count;
        if (Waiting == 0)
        {
            _openStream = 0;
        }
    }

    /// <summary>Drops the first bytes that wait. Nothing may be taken.</summary>
    protected void Skip(int count) => _bytes.Consume(count);

    /// <summary>A frame begins.</summary>
    /// <returns>Where its header lies.</returns>
    protected virtual Memory<byte> Begin(FrameHeader header, int payloadLength)
    {
        // In one array with its payload, so that one write sends it.
        var memory = _bytes.GetMemory(FrameHeader.Size + payloadLength, _segmentSize, headroom)[..FrameHeader.Size];
        header.Write(memory.Span);
        _bytes.Advance(FrameHeader.Size);
        return memory;
    }
}
