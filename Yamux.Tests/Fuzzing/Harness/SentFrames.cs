using Yamux.Tests.Kit;

namespace Yamux.Tests.Fuzzing;

/// <summary>Checks that what the session sends is what a yamux peer may send (WIRE, "What we send").</summary>
internal sealed class SentFrames(bool isServer, ReceivedFrames received)
{
    private const FrameFlag KnownFlags = FrameFlag.Syn | FrameFlag.Ack | FrameFlag.Fin | FrameFlag.Rst;
    private const uint LargestPayload = 64 * 1024;
    private readonly Dictionary<uint, SentStream> _streams = [];
    private byte[] _rest = [];
    private uint _lastId;
    private bool _isOver;

    public void Add(byte[] bytes)
    {
        var all = _rest.Length == 0 ? bytes : [.. _rest, .. bytes];
        var position = 0;
        while (all.Length - position >= Frame.HeaderSize)
        {
            var frame = Frame.Parse(all.AsSpan(position));
            var size = Frame.HeaderSize + (frame.Kind == FrameKind.Data ? (int)Math.Min(frame.Length, LargestPayload + 1) : 0);
            Check(frame.Kind != FrameKind.Data || frame.Length <= LargestPayload, frame, "has too large a payload");
            if (all.Length - position < size)
            {
                break;
            }

            Add(frame);
            position += size;
        }

        _rest = position == all.Length ? [] : all[position..];
    }

    private static void Check(bool condition, Frame frame, string what)
        => FuzzFailureException.Unless(condition, $"The session has sent a frame that {what}: {frame}");

    private void Add(Frame frame)
    {
        Check(!_isOver, frame, "comes behind GoAway 1");
        Check(frame.Version == 0, frame, "has another version");
        Check((frame.Flags & ~KnownFlags) == 0, frame, "has unknown flags");
        switch (frame.Kind)
        {
            case FrameKind.Data:
            case FrameKind.WindowUpdate:
                Check(frame.StreamId != 0, frame, "belongs to no stream");
                AddStreamFrame(frame);
                break;
            case FrameKind.Ping:
                Check(frame.StreamId == 0, frame, "belongs to the session");
                Check(frame.Flags is FrameFlag.Syn or FrameFlag.Ack, frame, "is neither a request nor an answer");
                Check(
                    frame.Flags == FrameFlag.Syn || (received.Pings.TryDequeue(out var value) && value == frame.Length),
                    frame,
                    "answers no ping, or in the wrong order");
                break;
            case FrameKind.GoAway:
                Check(frame is { StreamId: 0, Flags: FrameFlag.None, Length: 0 or 1 }, frame, "a healthy session does not send");
                _isOver = frame.Length == 1;
                break;
            default:
                Check(false, frame, "has an unknown type");
                break;
        }
    }

    private void AddStreamFrame(Frame frame)
    {
        var isOwn = frame.StreamId % 2 == (isServer ? 0 : 1);
        if (!_streams.TryGetValue(frame.StreamId, out var stream))
        {
            _streams.Add(frame.StreamId, stream = new SentStream());
        }

        Check(!stream.HasRst, frame, "comes behind the RST of its stream");
        if (frame.Flags.HasFlag(FrameFlag.Syn))
        {
            Check(isOwn && frame.StreamId > _lastId && frame.Kind == FrameKind.WindowUpdate, frame, "opens a stream wrongly");
            _lastId = frame.StreamId;
        }
        else
        {
            Check(isOwn ? frame.StreamId <= _lastId : received[frame.StreamId].HasSyn, frame, "belongs to a stream that is not open");
        }

        if (frame.Flags.HasFlag(FrameFlag.Ack))
        {
            Check(!isOwn && !stream.HasAck, frame, "accepts a stream wrongly, or twice");
            stream.HasAck = true;
        }

        if (frame.Flags.HasFlag(FrameFlag.Fin))
        {
            Check(!stream.HasFin && frame is { Kind: FrameKind.WindowUpdate, Length: 0 }, frame, "is no FIN, or a second one");
            stream.HasFin = true;
        }
        else if (frame.Kind == FrameKind.Data)
        {
            stream.Sent += frame.Length;
            Check(!stream.HasFin, frame, "comes behind the FIN of its stream");
            Check(stream.Sent <= received[frame.StreamId].Credit, frame, $"exceeds the {received[frame.StreamId].Credit} bytes of credit");
        }

        stream.HasRst = frame.Flags.HasFlag(FrameFlag.Rst);
    }

    private sealed class SentStream
    {
        public long Sent { get; set; }

        public bool HasAck { get; set; }

        public bool HasFin { get; set; }

        public bool HasRst { get; set; }
    }
}
