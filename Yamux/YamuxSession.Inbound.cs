using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>Frames of streams: to which stream each goes, and which new streams are taken. All of it runs on the read loop.</content>
public sealed partial class YamuxSession
{
    private readonly UsedIds _remoteIds = new();
    private RateLimit _earlyResets;
    private RateLimit _emptyFrames;
    private readonly LiveCount _inboundCount = new();

    private void OnStreamFrame(FrameHeader header)
    {
        if (header.Length == 0 && (header.Flags & FrameHeader.KnownFlags) == 0 && !_emptyFrames.TryCount())
        {
            throw YamuxException.Protocol(
                $"more than {Options.MaxEmptyFrames} frames that change nothing came within {Options.RateLimitPeriod}");
        }

        YamuxStream? stream;
        if (header.Has(FrameFlags.Syn))
        {
            stream = AddInbound(header);
        }
        else if (!_streams.TryGetValue(header.StreamId, out stream))
        {
            // Closed or reset at this end, refused, or never opened: all are passed over, for the peer may not know yet.
            if (_end is null)
            {
                LogIgnored(header.StreamId, "a frame for a stream that is not open");
            }
        }

        var wanted = false;
        if (stream is not null)
        {
            var unaccepted = header.Has(FrameFlags.Rst) && !stream.IsOutbound && OnInboundReset(header, stream);
            wanted = stream.OnFrame(header);
            if (unaccepted)
            {
                stream.Input.Complete(); // What came on it goes back to its pool, since nobody will read it.
            }

            if (header.Has(FrameFlags.Syn) && !header.Has(FrameFlags.Rst))
            {
                _accepts.Add(stream);
            }
        }

        if (header.Type == FrameType.Data)
        {
            _payloadLeft = header.Length;
            _payloadStream = wanted ? stream : null;
            _finAfterPayload = wanted && header.Has(FrameFlags.Fin);
        }
    }

    // Null: the stream was refused.
    private YamuxStream? AddInbound(FrameHeader header)
    {
        var id = header.StreamId;
        if (IsOurs(id))
        {
            throw YamuxException.Protocol($"the peer opened stream {id}, whose id is one of ours: the client's ids are odd, the server's even");
        }

        if (!_remoteIds.TryUse(id))
        {
            throw YamuxException.Protocol(
                $"the peer opened stream {id}, whose id was used before, or is more than {UsedIds.Window} streams behind the latest");
        }

        string refusal, reason;
        if (_accepts.IsFull)
        {
            (refusal, reason) = ($"{Options.AcceptBacklog} streams wait to be accepted", YamuxMetrics.RefusedByBacklog);
        }
        else if (InboundStreamCount >= Options.MaxInboundStreams)
        {
            (refusal, reason) = ($"{Options.MaxInboundStreams} streams of the peer's are open", YamuxMetrics.RefusedByLimit);
        }
        else if (!TryAddInbound(id, out var stream))
        {
            (refusal, reason) = ("this end has sent GoAway", YamuxMetrics.RefusedByGoAway);
        }
        else
        {
            if (stream is not null)
            {
                Metrics.OnStreamOpened(stream);
            }

            return stream;
        }

        if (TryCountLogLine())
        {
            YamuxLog.StreamRefused(Logger, id, refusal);
        }

        Metrics.OnStreamRefused(reason);
        Answer(FrameHeader.Window(FrameFlags.Rst, id));
        return null;
    }

    // False: no more are taken. Null where the session has ended: then there is no RST, for what the peer is about to hear is that.
    private bool TryAddInbound(uint id, out YamuxStream? stream)
    {
        lock (_gate)
        {
            stream = null;
            if (_end is not null)
            {
                return true;
            }

            if (_localGoAway)
            {
                return false;
            }

            stream = new YamuxStream(this, id);
            _streams[id] = stream;
            _streamCount.Increment();
            _inboundCount.Increment();
            return true;
        }
    }

    // A stream that is reset before anybody accepted it leaves the queue at once. Whoever does that all the time is hostile.
    // False: it was accepted.
    private bool OnInboundReset(FrameHeader header, YamuxStream stream)
    {
        if (!header.Has(FrameFlags.Syn) && !_accepts.Remove(stream))
        {
            return false;
        }

        if (!_earlyResets.TryCount())
        {
            throw YamuxException.Protocol(
                $"more than {Options.MaxEarlyResets} streams were opened and reset before they were accepted, within {Options.RateLimitPeriod}");
        }

        return true;
    }
}
