namespace Yamux.Tests.Model;

/// <summary>
/// What the two sides owe each other, counted from the frames that pass. Each frame is checked when its sender appends it
/// to the transport, and noted when the other side is handed it. Thread safe; it calls nothing.
/// </summary>
internal sealed class Ledger(Sequence sequence)
{
    private const int InitialWindow = 262_144;
    private const int MaxFramePayload = 64 * 1024;

    private readonly SortedDictionary<uint, StreamModel> _streams = [];
    private readonly SessionSide _client = new(Side.Client);
    private readonly SessionSide _server = new(Side.Server);

    public Lock Gate { get; } = new();

    /// <summary>The first thing that was wrong. A frame is checked on a thread of the engine's, which must not be disturbed.</summary>
    public string? Fault { get; private set; }

    /// <summary>Set when something has happened that somebody may wait for.</summary>
    public SemaphoreSlim Happened { get; } = new(0);

    public SessionSide this[Side side] => side == Side.Client ? _client : _server;

    /// <summary>One side of all the streams that there are, in the order of their ids.</summary>
    public List<StreamSide> StreamsOf(Side side)
    {
        lock (Gate)
        {
            return [.. _streams.Values.Select(stream => stream[side])];
        }
    }

    /// <summary>The stream with this id. It may be known before its SYN has found its way.</summary>
    public StreamModel Stream(uint id)
    {
        lock (Gate)
        {
            if (!_streams.TryGetValue(id, out var stream))
            {
                _streams[id] = stream = new StreamModel(id);
            }

            return stream;
        }
    }

    public void Pulse()
    {
        if (Happened.CurrentCount == 0)
        {
            Happened.Release();
        }
    }

    public void Report(string what) => Fault ??= what;

    /// <summary>A frame was appended to the transport. Its payload follows.</summary>
    public void OnSent(Side sender, Frame frame)
    {
        var session = this[sender];
        Check(frame.Version == 0 && frame.Kind <= FrameKind.GoAway, sender, frame, "does not exist");
        Check(
            session.GoAwaysSent == 0 || (session.GoAwaysSent == 1 && session.GoAway) || frame.Kind == FrameKind.Ping, sender, frame, "comes after the last GoAway");
        switch (frame.Kind)
        {
            case FrameKind.Ping:
                OnPingSent(session, frame);
                break;
            case FrameKind.GoAway:
                Check(frame is { Flags: FrameFlag.None, StreamId: 0, Length: 0 }, sender, frame, "is not an orderly GoAway");
                Check(session.GoAway || session.IsOver, sender, frame, "was not asked for");
                session.GoAwaysSent++;
                break;
            default:
                OnStreamFrameSent(session, frame);
                break;
        }
    }

    /// <summary>A piece of a payload was appended to the transport.</summary>
    public void OnPayloadSent(Side sender, uint id, ReadOnlySpan<byte> payload)
    {
        if (!_streams.TryGetValue(id, out var model))
        {
            return; // The frame was reported.
        }

        var stream = model[sender];
        if (!Content.Of(id, sender, stream.Sent, payload.Length).Span.SequenceEqual(payload))
        {
            Report($"{stream} sent something else at byte {stream.Sent} and the {payload.Length - 1} that follow than was written");
        }

        stream.Sent += payload.Length;
    }

    /// <summary>The other side was handed a frame's header.</summary>
    public void OnDelivered(Side sender, Frame frame)
    {
        var from = this[sender];
        if (frame.Kind == FrameKind.Ping)
        {
            if (frame.Flags == FrameFlag.Syn)
            {
                from.UnansweredPings.Add(frame.Length);
            }
            else
            {
                from.PongsDelivered++;
            }

            return;
        }

        if (frame.Kind == FrameKind.GoAway)
        {
            from.GoAwayDelivered = true;
            return;
        }

        if (!_streams.TryGetValue(frame.StreamId, out var model))
        {
            return;
        }

        var stream = model[sender];
        var inTime = !this[stream.Peer.Side].IsOver;
        stream.AnyDelivered = true;
        if (frame.Flags.HasFlag(FrameFlag.Syn))
        {
            stream.SynDelivered |= inTime;
        }

        if (frame.Flags.HasFlag(FrameFlag.Fin))
        {
            stream.FinDelivered = true;
            stream.FinDeliveredInTime |= inTime;
        }

        if (frame.Flags.HasFlag(FrameFlag.Rst))
        {
            stream.RstDelivered = true;
        }

        if (frame.Kind == FrameKind.WindowUpdate)
        {
            stream.Peer.Credit += frame.Length;
        }
    }

    /// <summary>The other side was handed so many bytes of a stream.</summary>
    public void OnPayloadDelivered(Side sender, uint id, long count)
    {
        if (_streams.TryGetValue(id, out var model) && !this[model[sender].Peer.Side].IsOver)
        {
            model[sender].Delivered += count;
        }
    }

    private void OnPingSent(SessionSide session, Frame frame)
    {
        Check(frame is { Flags: FrameFlag.Syn or FrameFlag.Ack, StreamId: 0 }, session.Side, frame, "is neither a ping nor its answer");
        if (frame.Flags == FrameFlag.Syn)
        {
            session.PingsSent++;
            var closing = session.GoAwaysSent > 0 && session.IsOver ? 1 : 0; // The one whose answer tells that the peer has everything.
            Check(session.PingsSent <= session.PingsAsked + closing, session.Side, frame, "was not asked for");
        }
        else
        {
            Check(this[Other(session.Side)].UnansweredPings.Remove(frame.Length), session.Side, frame, "answers no ping");
        }
    }

    private void OnStreamFrameSent(SessionSide session, Frame frame)
    {
        var side = session.Side;
        if (frame.Flags == FrameFlag.Syn)
        {
            var isOurs = frame.StreamId % 2 == (side == Side.Client ? 1u : 0u);
            Check(isOurs && frame.StreamId > session.LastId, side, frame, "opens a stream whose id is not the next of this side's");
            session.LastId = frame.StreamId;
            Stream(frame.StreamId)[side].SynSent = true;
        }

        if (!_streams.TryGetValue(frame.StreamId, out var model) || !model[model.Opener].SynSent)
        {
            Check(false, side, frame, "is for a stream that nobody has opened");
            return;
        }

        var stream = model[side];
        Check(!stream.RstSent, side, frame, "follows an RST");
        Check(stream.IsOpener || stream.AckSent || frame.Flags is FrameFlag.Ack or FrameFlag.Rst, side, frame, "comes before the ACK");
        switch (frame.Kind, frame.Flags)
        {
            case (FrameKind.Data, FrameFlag.None):
                CheckData(stream, frame);
                break;
            case (FrameKind.WindowUpdate, FrameFlag.None):
                stream.Granted += frame.Length;
                CheckCredit(stream, frame);
                break;
            case (FrameKind.WindowUpdate, FrameFlag.Syn):
            case (FrameKind.WindowUpdate, FrameFlag.Ack):
                Check(frame.Flags == FrameFlag.Syn || (!stream.IsOpener && !stream.AckSent), side, frame, "acknowledges once more, or one's own stream");
                var readsNoMore = frame.Length == 0 && frame.Flags == FrameFlag.Ack && (stream.Peer.FinDelivered || stream.InputClosed);
                Check(readsNoMore || frame.Length == sequence.WindowOf(side) - InitialWindow, side, frame, "does not tell the window's size");
                stream.AckSent |= frame.Flags == FrameFlag.Ack;
                stream.Granted += frame.Length;
                break;
            case (FrameKind.WindowUpdate, FrameFlag.Fin):
                Check(!stream.FinSent, side, frame, "ends the stream a second time");
                Check(frame.Length == 0 && stream.OutputClosed && stream.Sent == stream.Written, side, frame, $"ends the stream after {stream.Sent} of {stream.Written} bytes");
                stream.FinSent = true;
                break;
            case (FrameKind.WindowUpdate, FrameFlag.Rst):
                var refused = !stream.IsOpener && !stream.AckSent && (session.GoAway || sequence.MaxInboundStreams < 1024);
                Check(frame.Length == 0 && (stream.MayReset || refused), side, frame, "resets a stream that nobody has aborted");
                stream.RstSent = true;
                break;
            default:
                Check(false, side, frame, "is no frame of this engine's");
                break;
        }
    }

    private void CheckData(StreamSide stream, Frame frame)
    {
        Check(!stream.FinSent, stream.Side, frame, "follows a FIN");
        Check(frame.Length is > 0 and <= MaxFramePayload, stream.Side, frame, "is of no proper size");
        Check(stream.Sent + frame.Length <= stream.Credit, stream.Side, frame, $"makes the credit negative: {stream.Sent} bytes were sent, {stream.Credit} were allowed");
        Check(stream.Sent + frame.Length <= stream.Written, stream.Side, frame, $"is more than was written: {stream.Written} bytes, {stream.Sent} were sent");
    }

    private void CheckCredit(StreamSide stream, Frame frame)
    {
        Check(frame.Length > 0, stream.Side, frame, "gives nothing");
        var holds = stream.Granted - stream.ConsumedAtMost;
        var window = sequence.WindowOf(stream.Side) + stream.Loan;
        Check(holds <= window, stream.Side, frame, $"makes the window hold {holds} bytes; it has {window}");
        Check(!stream.PeerFinSettled, stream.Side, frame, "gives credit after the peer's FIN");
    }

    private void Check(bool condition, Side sender, Frame frame, string what)
    {
        if (!condition)
        {
            Report($"a frame of the {sender.ToString().ToLowerInvariant()}'s {what}: {frame}");
        }
    }

    private static Side Other(Side side) => side == Side.Client ? Side.Server : Side.Client;
}
