using Yamux.Tests.Kit;

namespace Yamux.Tests.Fuzzing;

/// <summary>
/// What the peer has said, as far as the session has taken it: a second reading of the same bytes, by the tests' own code.
/// </summary>
internal sealed class ReceivedFrames(byte[] wire)
{
    private readonly Dictionary<uint, ReceivedStream> _streams = [];
    private int _position;
    private uint _payloadLeft;
    private ReceivedStream? _payloadStream;
    private bool _finAfterPayload;

    public long Count { get; private set; }

    public int Syns { get; private set; }

    /// <summary>The values of the pings that have not been answered, oldest first.</summary>
    public Queue<uint> Pings { get; } = new();

    public ReceivedStream this[uint id]
    {
        get
        {
            if (!_streams.TryGetValue(id, out var stream))
            {
                _streams.Add(id, stream = new ReceivedStream());
            }

            return stream;
        }
    }

    public void ReadTo(int end)
    {
        while (true)
        {
            if (_payloadLeft > 0)
            {
                var count = (int)Math.Min(_payloadLeft, end - _position);
                _payloadStream?.Content.AddRange(wire.AsSpan(_position, count));
                _position += count;
                _payloadLeft -= (uint)count;
                if (_payloadLeft > 0)
                {
                    return;
                }

                EndPayload();
                continue;
            }

            if (end - _position < Frame.HeaderSize)
            {
                return;
            }

            Add(Frame.Parse(wire.AsSpan(_position)));
            _position += Frame.HeaderSize;
        }
    }

    private void Add(Frame frame)
    {
        Count++;
        if (frame.Kind == FrameKind.Ping)
        {
            if (frame.Flags.HasFlag(FrameFlag.Syn) && !frame.Flags.HasFlag(FrameFlag.Ack))
            {
                Pings.Enqueue(frame.Length);
            }

            return;
        }

        if (frame.Kind is not (FrameKind.Data or FrameKind.WindowUpdate))
        {
            return;
        }

        var stream = this[frame.StreamId];
        if (frame.Flags.HasFlag(FrameFlag.Syn))
        {
            stream.HasSyn = stream.IsOpen = true;
            Syns++;
        }

        stream.HasRst |= stream.IsOpen && frame.Flags.HasFlag(FrameFlag.Rst);
        if (frame.Kind == FrameKind.WindowUpdate)
        {
            stream.Credit += frame.Length;
        }

        var wanted = stream is { IsOpen: true, HasFin: false, HasRst: false };
        _payloadLeft = frame.Kind == FrameKind.Data ? frame.Length : 0;
        _payloadStream = wanted ? stream : null;
        _finAfterPayload = wanted && frame.Flags.HasFlag(FrameFlag.Fin);
        if (_payloadLeft == 0)
        {
            EndPayload();
        }
    }

    private void EndPayload()
    {
        if (_finAfterPayload)
        {
            _payloadStream!.HasFin = true;
        }

        _payloadStream = null;
        _finAfterPayload = false;
    }
}
