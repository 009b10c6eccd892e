namespace Yamux.Tests.Model;

/// <content>What must have happened once everything that is under way has ended.</content>
internal sealed partial class World
{
    // The first thing that has not, or null.
    private string? Unmet()
        => UnmetUnsynchronized(Side.Client) ?? UnmetUnsynchronized(Side.Server);

    private string? UnmetUnsynchronized(Side of)
    {
        if (IsReceivingUnsynchronized(of))
        {
            return $"the {of}'s read loop waits for more";
        }

        var side = _ledger[of];
        var unmet = UnmetOfPending(side) ?? UnmetOfEnd(side);
        if (unmet is not null)
        {
            return unmet;
        }

        var open = 0;
        foreach (var stream in _ledger.StreamsOf(of))
        {
            if (!side.IsOver && IsOpenUnsynchronized(stream))
            {
                open++;
            }

            unmet = stream.Stream is null ? null : UnmetOfReader(side, stream) ?? UnmetOfWriter(side, stream) ?? UnmetOfState(side, stream);
            if (unmet is not null)
            {
                return unmet;
            }
        }

        var count = this[of].StreamCount;
        return CanSend(side) || side.IsOver ? count == open ? null : $"{side} has {open} streams, not {count}" : null;
    }

    private static bool IsOpenUnsynchronized(StreamSide stream)
        => !stream.IsRemoved && (stream.IsOpener ? stream.Stream is not null : stream.Peer.SynDelivered);

    // What it appends reaches the transport.
    private bool CanSend(SessionSide side)
        => !side.IsOver && !From(side.Side).Writer.IsStalled && !From(side.Side).Writer.HasFailed;

    private string? UnmetOfPending(SessionSide side)
    {
        var of = side.Side;
        var unacknowledged = _ledger.StreamsOf(of).Count(
            stream => stream.IsOpener && stream.Stream is not null && !stream.Peer.AnyDelivered && !stream.IsRemoved);
        var opens = side.IsOver || side.GoAway || Peer(side).GoAwayDelivered || unacknowledged < _sequence.MaxUnacknowledgedStreams;
        if (side.Opens.Any(open => opens || open.IsCancelled))
        {
            return $"\"open\" of {side} ends";
        }

        var refuses = side.GoAway || _sequence.MaxInboundStreams < 1024;
        var arrived = (CanSend(side) || !refuses) && _ledger.StreamsOf(of).Any(
            stream => !stream.IsOpener && stream.Peer.SynDelivered && stream.Stream is null && !stream.RstSent && !stream.Peer.RstDelivered);
        if (side.Accept is { } accept && (side.IsOver || arrived || accept.IsCancelled))
        {
            return $"\"accept\" of {side} ends";
        }

        var answered = Peer(side).PongsDelivered == side.PingsAsked;
        if (side.Pings.Any(ping => side.IsOver || answered || ping.IsCancelled))
        {
            return $"\"ping\" of {side} ends";
        }

        if (CanSend(side) && (side.PingsSent < side.PingsAsked || Peer(side).UnansweredPings.Count > 0))
        {
            return $"a ping of {side}, or its answer, is sent";
        }

        return null;
    }

    private string? UnmetOfEnd(SessionSide side)
    {
        var writer = From(side.Side).Writer;
        if (!side.IsOver || ((side.Causes & Causes.Disposed) != 0 && IsAnswerOnItsWay(side.Side)))
        {
            return null;
        }

        if (!this[side.Side].Completion.IsCompleted || side.Disposal is { Task.IsCompleted: false })
        {
            return $"{side}'s Completion completes";
        }

        return writer.IsCompleted && To(side.Side).Reader.IsCompleted ? null : $"{side}'s transport is completed";
    }

    // A session that was disposed waits for the answer to its ping, which stands behind all that both ends have sent; or for the other's end.
    private bool IsAnswerOnItsWay(Side side)
        => From(side).Writer is { IsStalled: true, HasFailed: false } || From(side).Undelivered > 0
            || To(side).Writer is { IsStalled: true, HasFailed: false } || To(side).Undelivered > 0 || To(side).EndWaits;

    private string? UnmetOfReader(SessionSide side, StreamSide stream)
    {
        var ended = side.IsOver || stream.Aborted || stream.InputClosed || stream.Peer.RstDelivered || stream.Peer.FinDelivered;
        if (stream.Read is { } read
            && (ended || read.IsCancelled || stream.CancelReadDue || stream.Peer.Delivered > stream.Examined))
        {
            return $"the read of {stream} ends, which has examined {stream.Examined} of {stream.Peer.Delivered} bytes";
        }

        if (!CanSend(side) || stream.Aborted || stream.Peer.RstDelivered || stream.Peer.FinDelivered)
        {
            return null;
        }

        if (stream.Granted - stream.ConsumedAtMost <= _sequence.WindowOf(stream.Side) / 2)
        {
            return $"{stream} gives more credit: {stream.Granted} bytes in all, {stream.ConsumedAtMost} are consumed";
        }

        return stream.Read is not null && stream.Granted == stream.Peer.Delivered
            ? $"{stream} lends credit, for all of {stream.Granted} bytes are examined"
            : null;
    }

    private string? UnmetOfWriter(SessionSide side, StreamSide stream)
    {
        var dead = side.IsOver || stream.Aborted || stream.Peer.RstDelivered;
        if ((stream.Flush is { } flush && (dead || flush.IsCancelled || stream.CancelFlushDue)) || (stream.Drain is { Task.IsCompleted: false } && dead))
        {
            return $"the flush or the disposal of {stream} ends";
        }

        if (dead || !CanSend(side))
        {
            return null;
        }

        var sending = stream.Flush is not null || stream.OutputClosed;
        if (sending && stream.Sent < Math.Min(stream.Written, stream.Credit))
        {
            return $"{stream} sends what it may: {stream.Sent} of {stream.Written} bytes are sent, {stream.Credit} are allowed";
        }

        if (sending && stream.Sent == stream.Written && (stream.Flush is not null || stream.Drain is { Task.IsCompleted: false }))
        {
            return $"the flush or the disposal of {stream} ends, which has sent all its {stream.Sent} bytes";
        }

        return stream.OutputClosed && stream.Sent == stream.Written && !stream.FinSent ? $"{stream} sends FIN" : null;
    }

    private string? UnmetOfState(SessionSide side, StreamSide stream)
    {
        if (stream.Closed is { IsCancellationRequested: var closed } && closed != (side.IsOver || stream.IsRemoved) && (!closed || CanSend(side)))
        {
            return $"{stream} is {(closed ? "not closed" : "closed")}";
        }

        if (!CanSend(side) || stream.Peer.RstDelivered)
        {
            return null;
        }

        if (stream.MustReset && !stream.RstSent)
        {
            return $"{stream} sends RST";
        }

        return stream.IsOpener || stream.AckSent || stream.Aborted ? null : $"{stream} sends ACK";
    }
}
