using System.Buffers;

namespace Yamux.Tests.Kit;

/// <summary>Counts what passes on a connection: payload and credit of each stream, and where a frame ends. Thread safe.</summary>
public sealed class FrameTally
{
    private readonly Lock _gate = new();
    private readonly byte[] _header = new byte[Frame.HeaderSize];
    private readonly Dictionary<uint, long> _payloads = [];
    private readonly Dictionary<uint, long> _credits = [];
    private int _headerLength;
    private uint _payloadLeft;
    private uint _streamId;

    public bool IsBetweenFrames => _headerLength == 0 && _payloadLeft == 0;

    /// <summary>How many bytes came for each stream, those of a frame that is not complete among them.</summary>
    public Dictionary<uint, long> Payloads()
    {
        lock (_gate)
        {
            return new Dictionary<uint, long>(_payloads);
        }
    }

    /// <summary>How many bytes came for this stream.</summary>
    public long Payload(uint streamId)
    {
        lock (_gate)
        {
            return _payloads.GetValueOrDefault(streamId);
        }
    }

    /// <summary>How much credit came for this stream, beyond the 262,144 that each has.</summary>
    public long Credit(uint streamId)
    {
        lock (_gate)
        {
            return _credits.GetValueOrDefault(streamId);
        }
    }

    public void Add(ReadOnlySequence<byte> bytes)
    {
        lock (_gate)
        {
            foreach (var piece in bytes)
            {
                Add(piece.Span);
            }
        }
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count;
            if (_payloadLeft > 0)
            {
                count = (int)Math.Min(_payloadLeft, bytes.Length);
                _payloadLeft -= (uint)count;
                _payloads[_streamId] = _payloads.GetValueOrDefault(_streamId) + count;
            }
            else
            {
                count = Math.Min(Frame.HeaderSize - _headerLength, bytes.Length);
                bytes[..count].CopyTo(_header.AsSpan(_headerLength));
                _headerLength += count;
                if (_headerLength == Frame.HeaderSize)
                {
                    _headerLength = 0;
                    var frame = Frame.Parse(_header);
                    _streamId = frame.StreamId;
                    _payloadLeft = frame.Kind == FrameKind.Data ? frame.Length : 0;
                    if (frame.Kind == FrameKind.WindowUpdate)
                    {
                        _credits[_streamId] = _credits.GetValueOrDefault(_streamId) + frame.Length;
                    }
                }
            }

            bytes = bytes[count..];
        }
    }
}
