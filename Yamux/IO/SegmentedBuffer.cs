using System.Buffers;
using System.Diagnostics;

namespace Yamux.IO;

/// <summary>
/// A queue of bytes in pooled segments: written at its end as an <see cref="IBufferWriter{T}"/>, taken from its front.
/// Empty, it holds no memory of the pool. Not synchronized.
/// </summary>
internal sealed class SegmentedBuffer : IBufferWriter<byte>
{
    private readonly int _segmentSize;
    private Segment? _head;
    private Segment? _tail;
    private int _headOffset;

    public SegmentedBuffer(int segmentSize) => _segmentSize = segmentSize;

    /// <summary>How many bytes are in the queue.</summary>
    public long Length { get; private set; }

    /// <summary>All bytes in the queue; valid until the next call of any other member.</summary>
    public ReadOnlySequence<byte> Content => Length == 0
        ? ReadOnlySequence<byte>.Empty
        : new ReadOnlySequence<byte>(_head!, _headOffset, _tail!, _tail!.Written);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count == 0)
        {
            return;
        }

        if (_tail is null || count > _tail.Free.Length)
        {
            throw new InvalidOperationException(
                $"Cannot advance by {count} bytes: the last buffer has room for {_tail?.Free.Length ?? 0}.");
        }

        _tail.Advance(count);
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_tail is null || _tail.Free.Length < Math.Max(sizeHint, 1))
        {
            Append(Math.Max(sizeHint, _segmentSize));
        }

        return _tail!.Free;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Takes <paramref name="count"/> bytes from the front.</summary>
    public void Consume(long count)
    {
        Debug.Assert(count <= Length, "more bytes were taken than are there");
        Length -= count;
        while (_head is not null)
        {
            var available = _head.Written - _headOffset;
            if (count < available)
            {
                _headOffset += (int)count;
                return;
            }

            count -= available;
            var next = (Segment?)_head.Next;
            _head.Return();
            _head = next;
            _headOffset = 0;
        }

        _tail = null;
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Consume(Length);

    private void Append(int size)
    {
        var segment = new Segment(size, _tail);
        _head ??= segment;
        _tail = segment;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private byte[] _array;

        public Segment(int size, Segment? previous)
        {
            _array = ArrayPool<byte>.Shared.Rent(size);
            Memory = _array.AsMemory(0, 0);
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Written;
                previous.Next = this;
            }
        }

        public int Written => Memory.Length;

        public Memory<byte> Free => _array.AsMemory(Memory.Length);

        public void Advance(int count) => Memory = _array.AsMemory(0, Memory.Length + count);

        public void Return()
        {
            Memory = default;
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }
    }
}
