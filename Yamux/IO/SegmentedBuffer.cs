using System.Buffers;
using System.Diagnostics;

namespace Yamux.IO;

/// <summary>
/// A queue of bytes in pooled arrays: written at its end, taken from its front. Empty, it holds no array. Not synchronized.
/// A struct, so that a stream that never carries a byte pays for no more than its fields; it must not be copied.
/// </summary>
internal struct SegmentedBuffer
{
    /// <summary>The largest array that it asks for, unless a single <see cref="GetMemory"/> needs more.</summary>
    public const int MaxSegmentSize = 128 * 1024;

    /// <summary>The smallest one.</summary>
    public const int MinSegmentSize = 4 * 1024;

    // Segments without an array that are kept for the next bytes, so that a buffer in steady use allocates nothing. Enough for
    // the largest window that is usual: 16 MiB in arrays of 64 KiB. They are few bytes beside what the buffer has held.
    private const int MaxSpares = 256;

    private Segment? _head;
    private Segment? _tail;
    private Segment? _spare;
    private int _spares;
    private int _headOffset;

    public long Length { get; private set; }

    /// <summary>All bytes in the queue; valid until bytes are taken from it.</summary>
    public readonly ReadOnlySequence<byte> Content => Length == 0
        ? ReadOnlySequence<byte>.Empty
        : new ReadOnlySequence<byte>(_head!, _headOffset, _tail!, _tail!.Written);

    /// <summary>The bytes of the first array; valid until bytes are taken from the queue.</summary>
    public readonly ReadOnlyMemory<byte> First => _head is null ? default : _head.Memory[_headOffset..];

    /// <summary>Room for at least one byte, and for <paramref name="sizeHint"/> if that is more.</summary>
    /// <param name="sizeHint">How many bytes.</param>
    /// <param name="segmentSize">The size of the next array, if one is needed, unless it must be larger.</param>
    /// <param name="headroom">If the buffer is empty: how many bytes may be put in front of the first one.</param>
    public Memory<byte> GetMemory(int sizeHint = 0, int segmentSize = MinSegmentSize, int headroom = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_tail is null || _tail.Free.Length < Math.Max(sizeHint, 1))
        {
            Append(Math.Max(sizeHint, segmentSize), headroom);
        }

        return _tail!.Free;
    }

    /// <summary>Adds the first <paramref name="count"/> bytes of what <see cref="GetMemory"/> gave.</summary>
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

    /// <summary>Adds bytes. <paramref name="expected"/>: how many are about to come with them, which go into one array if they can.</summary>
    public void Write(ReadOnlySpan<byte> bytes, int expected = 0)
    {
        while (!bytes.IsEmpty)
        {
            if (_tail is null || _tail.Free.IsEmpty)
            {
                Append(Math.Clamp(Math.Max(bytes.Length, expected), MinSegmentSize, MaxSegmentSize), headroom: 0);
            }

            var free = _tail!.Free.Span;
            var count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            _tail.Advance(count);
            Length += count;
            expected -= count;
            bytes = bytes[count..];
        }
    }

    public void Write(ReadOnlySequence<byte> bytes)
    {
        var left = (int)Math.Min(bytes.Length, MaxSegmentSize);
        foreach (var piece in bytes)
        {
            Write(piece.Span, left);
            left -= piece.Length;
        }
    }

    /// <summary>Puts bytes in front of all others, if the first array has room there.</summary>
    public bool TryPrepend(ReadOnlySpan<byte> bytes)
    {
        if (_head is null || _headOffset < bytes.Length)
        {
            return false;
        }

        _headOffset -= bytes.Length;
        Length += bytes.Length;
        _head.Overwrite(_headOffset, bytes);
        return true;
    }

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
            Release(_head);
            _head = next;
            _headOffset = 0;
        }

        _tail = null;
    }

    public void Clear() => Consume(Length);

    // As large as all that waits already, so that much is held in few arrays.
    private void Append(int size, int headroom)
    {
        size = Math.Max(size, (int)Math.Min(Length, MaxSegmentSize / 2));
        var segment = _spare;
        if (segment is null)
        {
            segment = new Segment();
        }
        else
        {
            _spare = segment.NextSpare;
            _spares--;
        }

        segment.Start(RoundUp(_head is null ? size + headroom : size), _tail);
        if (_head is null)
        {
            _head = segment;
            _headOffset = headroom;
            segment.Advance(headroom);
        }

        _tail = segment;
    }

    // A few sizes only: the pool keeps a stock of each.
    private static int RoundUp(int size) => size switch
    {
        <= MinSegmentSize => MinSegmentSize,
        <= 16 * 1024 => 16 * 1024,
        <= 64 * 1024 => 64 * 1024,
        _ => size,
    };

    private void Release(Segment segment)
    {
        segment.Stop();
        if (_spares < MaxSpares)
        {
            segment.NextSpare = _spare;
            _spare = segment;
            _spares++;
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private byte[] _array = [];

        public int Written => Memory.Length;

        public Memory<byte> Free => _array.AsMemory(Memory.Length);

        public Segment? NextSpare
        {
            get => (Segment?)Next;
            set => Next = value;
        }

        public void Start(int size, Segment? previous)
        {
            _array = ArrayPool<byte>.Shared.Rent(size);
            Memory = _array.AsMemory(0, 0);
            Next = null;
            RunningIndex = 0;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Written;
                previous.Next = this;
            }
        }

        // The length alone changes here, so that a reader that holds the bytes before it may go on meanwhile.
        public void Advance(int count) => Memory = _array.AsMemory(0, Memory.Length + count);

        public void Overwrite(int start, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_array.AsSpan(start));

        public void Stop()
        {
            Memory = default;
            Next = null;
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }
    }
}
