using System.Buffers;

namespace Backchannel;

/// <summary>The requests that an HTTP client has begun on a connection, found in what it writes. Thread safe.</summary>
internal sealed class SentRequests
{
    private const int PrefaceSize = 24;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _any = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _streams = [];
    private readonly byte[] _header = new byte[Http2FrameHeader.Size];
    private int _headerRead;
    private long _left = PrefaceSize; // Of what is stepped over: the preface, and what frames carry.

    /// <summary>Their streams, in the order in which they were opened.</summary>
    public int[] Streams
    {
        get
        {
            lock (_gate)
            {
                return [.. _streams];
            }
        }
    }

    /// <summary>Completes when there is one, or will be none.</summary>
    public Task Any => _any.Task;

    /// <summary>There are no more.</summary>
    public void End() => _any.TrySetResult();

    /// <summary>Goes on over what is about to be written next.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            AddUnsynchronized(bytes);
        }
    }

    /// <summary>It has been written, or will not be any more.</summary>
    public void OnWritten()
    {
        if (Streams.Length > 0)
        {
            _any.TrySetResult();
        }
    }

    private void AddUnsynchronized(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                var step = (int)Math.Min(_left, bytes.Length);
                _left -= step;
                bytes = bytes[step..];
                continue;
            }

            var part = bytes[..Math.Min(bytes.Length, Http2FrameHeader.Size - _headerRead)];
            part.CopyTo(_header.AsSpan(_headerRead));
            _headerRead += part.Length;
            bytes = bytes[part.Length..];
            if (_headerRead == Http2FrameHeader.Size)
            {
                OnFrame(Http2FrameHeader.Read(new ReadOnlySequence<byte>(_header)));
            }
        }
    }

    // Trailers are HEADERS too, of a stream that is known.
    private void OnFrame(Http2FrameHeader header)
    {
        (_headerRead, _left) = (0, header.Length);
        if (header.IsHeaders && header.StreamId > _streams.LastOrDefault())
        {
            _streams.Add(header.StreamId);
        }
    }
}
