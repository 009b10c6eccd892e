using System.Buffers;

namespace Backchannel;

/// <summary>
/// Finds the header blocks in what a client sends, and lets them be filtered. It looks at the headers of frames; DATA and all the rest it steps over.
/// What it does not understand is Kestrel's to answer: from there on it lets everything pass.
/// </summary>
internal sealed class Http2Scanner(int headerTableSize, int maxFrameSize, long maxHeadersSize)
{
    // Kestrel takes fields of twice its limit in all. Their encoding may be longer: by headers of frames, padding, integers, codes.
    private const long Overhead = 64 * 1024;

    // What is kept back uses the stream's window, of which yamux has 256 KiB at least: the peer must never wait for credit.
    private const long Most = 192 * 1024;

    private readonly HeaderBlockFilter _filter = new(headerTableSize);
    private readonly long _maxBlockSize = Math.Min((2 * maxHeadersSize) + Overhead, Most);

    // All from the first byte that was not consumed.
    private long _nextFrame;
    private long _blockStart;

    private int _blockStream; // 0: no block is incomplete.
    private bool _hasPreface;
    private bool _isAside;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>
    /// Looks at what has come since the last time. Returns how many bytes of <paramref name="buffer"/>, from its start, may be seen: the rest is the
    /// beginning of a header block, or of something that may be one.
    /// </summary>
    /// <param name="buffer">All that was not consumed.</param>
    /// <param name="isCompleted">Nothing more comes: all of it may be seen.</param>
    public long Scan(in ReadOnlySequence<byte> buffer, bool isCompleted)
    {
        if (!_isAside && (_hasPreface || TryReadPreface(buffer)))
        {
            _isAside = !TryReadFrames(buffer);
        }

        _isAside |= isCompleted;
        if (_isAside)
        {
            return buffer.Length;
        }

        return _blockStream != 0 ? _blockStart : Math.Min(_nextFrame, buffer.Length);
    }

    /// <summary>The first <paramref name="count"/> bytes are gone.</summary>
    public void Consume(long count)
    {
        _nextFrame -= count;
        _blockStart -= count;
    }

    private bool TryReadPreface(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> room = stackalloc byte[Preface.Length];
        var come = room[..(int)Math.Min(buffer.Length, Preface.Length)];
        buffer.Slice(0, come.Length).CopyTo(come);
        _isAside = !Preface.StartsWith(come);
        _hasPreface = !_isAside && come.Length == Preface.Length;
        _nextFrame = _hasPreface ? Preface.Length : 0;
        return _hasPreface;
    }

    // False: this is not as HTTP/2 has it.
    private bool TryReadFrames(in ReadOnlySequence<byte> buffer)
    {
        if (_nextFrame + Http2FrameHeader.Size > buffer.Length)
        {
            return true;
        }

        var rest = buffer.Slice(_nextFrame);
        while (rest.Length >= Http2FrameHeader.Size)
        {
            var header = Http2FrameHeader.Read(rest);
            if (header.Length > maxFrameSize || header.IsContinuation != (_blockStream != 0))
            {
                return false;
            }

            var size = Http2FrameHeader.Size + header.Length;
            if (header.IsHeaders || header.IsContinuation)
            {
                if (!TryBeginOrContinue(header, size))
                {
                    return false;
                }

                if (rest.Length < size)
                {
                    return true;
                }

                _blockStream = header.EndsHeaders ? 0 : header.StreamId;
                if (header.EndsHeaders && !HeaderBlock.TryFilter(buffer.Slice(_blockStart, _nextFrame + size - _blockStart), _filter))
                {
                    return false;
                }
            }

            _nextFrame += size;
            rest = size < rest.Length ? rest.Slice(size) : default;
        }

        return true;
    }

    private bool TryBeginOrContinue(Http2FrameHeader header, int size)
    {
        if (header.IsHeaders)
        {
            _blockStart = _nextFrame;
        }

        return header.StreamId != 0
            && (header.IsHeaders || header.StreamId == _blockStream)
            && _nextFrame + size - _blockStart <= _maxBlockSize;
    }
}
