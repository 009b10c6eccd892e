using System.Buffers;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>What the session and the two halves need of a stream.</content>
public sealed partial class YamuxStream
{
    /// <summary>What the stream has of the session's budget for windows. It does not change any more when the stream is released.</summary>
    internal uint WindowGrowth => _receive.TakenFromSession;

    /// <summary>Whether it is among the active streams that somebody counts.</summary>
    internal bool IsCounted { get; }

    /// <summary>Whether the stream is among those to which the read loop has brought bytes. <see cref="WakeUps"/>' own.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Where the stream waits to be accepted. The queue's own.</summary>
    internal LinkedListNode<YamuxStream>? AcceptPlace { get; set; }

    /// <summary>Lets a reader that <see cref="TryWakeReader"/> has woken go on.</summary>
    internal IThreadPoolWorkItem Reader => _receive.Reader;

    /// <summary>Under the gate, before anything is written.</summary>
    /// <exception cref="YamuxException">The stream or its session has failed.</exception>
    internal void ThrowIfFailedUnsynchronized()
    {
        if (_failure is not null)
        {
            throw _failure.ForCaller();
        }
    }

    /// <summary>Before anything is read or written.</summary>
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    /// <summary>Opens the stream on the wire. The session's lock for opening is held, so that ids rise there.</summary>
    internal void SendSyn()
    {
        lock (Gate)
        {
            _openDeadline = Session.Timer.AddOpen(this);
            Session.Writer.AppendControl(FrameHeader.Window(FrameFlags.Syn, Id, _receive.OpenWindow()));
            _receive.MeasureRoundTrip();
        }
    }

    /// <summary>A frame of the peer's has come. True if its payload, which follows, is wanted.</summary>
    /// <exception cref="YamuxException">The frame breaks the protocol.</exception>
    internal bool OnFrame(FrameHeader header)
    {
        StreamChange change;
        bool wanted = false, isRepeatedFin = false, isStopped = false;
        lock (Gate)
        {
            if (_failure is not null)
            {
                return false;
            }

            if (header.Has(FrameFlags.Rst))
            {
                change = FailUnsynchronized(YamuxException.OfStream(Id, YamuxErrorCode.StreamReset, $"Yamux stream {Id} was reset by the peer."), tellPeer: false);
            }
            else
            {
                // Some peers never send an ACK; any frame shows that they have taken the stream, but the one that refuses it.
                if (IsOutbound && !_isAcknowledged)
                {
                    _isAcknowledged = true;
                    _acknowledged.Set();
                }

                if (header.Type == FrameType.WindowUpdate)
                {
                    OnCreditUnsynchronized(header.Length);
                }
                else if (header.Length > 0)
                {
                    wanted = _receive.OnDataHeader(header.Length);
                    isStopped = !header.Has(FrameFlags.Fin) && _receive.State == ReceiveState.Discarding && _closing is { } closing && closing.IsOverstayed();
                    wanted &= !isStopped;
                }

                isRepeatedFin = header.Has(FrameFlags.Fin) && !wanted && !_receive.OnFin();
                change = isStopped ? FailUnsynchronized(NewOverstayedException(), tellPeer: true) : Settle();
            }
        }

        if (isRepeatedFin)
        {
            Session.LogIgnored(Id, "a second FIN");
        }

        if (isStopped)
        {
            Session.FlushAfterRead();
        }

        Apply(change);
        return wanted;
    }

    /// <summary>
    /// A piece of a wanted payload has come, of <paramref name="expected"/> bytes that its frame still has. True if a reader may
    /// have to be woken, by <see cref="TryWakeReader"/>.
    /// </summary>
    internal bool OnPayload(ReadOnlySpan<byte> piece, int expected)
    {
        lock (Gate)
        {
            return _receive.OnPayload(piece, expected);
        }
    }

    /// <summary>The peer has all that this end has sent, FIN too.</summary>
    internal void OnArrived()
    {
        lock (Gate)
        {
            _closing?.OnArrived();
        }
    }

    /// <summary>The payload of a frame with FIN has come to its end.</summary>
    internal void OnFinAfterPayload()
    {
        StreamChange change;
        lock (Gate)
        {
            _receive.OnFin();
            change = Settle();
        }

        Apply(change);
    }

    /// <summary>True if a reader waited for what has come. The caller must see to it that <see cref="Reader"/> is executed.</summary>
    internal bool TryWakeReader()
    {
        lock (Gate)
        {
            return _receive.Reader.TryWake();
        }
    }

    /// <summary>
    /// The peer has not answered in time. The deadline may have been met meanwhile, or begun anew: it had left its queue by
    /// then, and nobody could take it back.
    /// </summary>
    internal void OnDeadline(LinkedListNode<Deadline> deadline, bool open)
    {
        StreamChange change;
        lock (Gate)
        {
            if (open ? deadline != _openDeadline : _closing is null || !_closing.Awaits(deadline))
            {
                return;
            }

            var options = Session.Options;
            change = FailUnsynchronized(
                open
                    ? YamuxException.OfStream(Id, YamuxErrorCode.StreamOpenTimeout, $"Yamux stream {Id} was not acknowledged within {options.StreamOpenTimeout}.")
                    : YamuxException.OfStream(Id, YamuxErrorCode.StreamCloseTimeout, $"Yamux stream {Id} was not closed by the peer within {options.StreamCloseTimeout}."),
                tellPeer: true);
        }

        Session.Writer.FlushSoon();
        Apply(change);
    }

    /// <summary>Ends the stream in both directions.</summary>
    internal void Fail(YamuxException failure, bool tellPeer)
    {
        StreamChange change;
        lock (Gate)
        {
            change = FailUnsynchronized(failure, tellPeer);
        }

        Session.Writer.FlushSoon();
        Apply(change);
    }

    /// <summary>Nobody will read any more, nor write, if it is <paramref name="disposed"/>. What had failed before goes on telling that.</summary>
    internal void CompleteReads(bool disposed = false)
        => CompleteReads(YamuxException.OfStream(Id, YamuxErrorCode.StreamAborted, $"The input of yamux stream {Id} was completed at this end."), disposed);

    private void CompleteReads(YamuxException reason, bool disposed)
    {
        StreamChange change;
        lock (Gate)
        {
            _isDisposed |= disposed && _failure is null;
            _receive.Discard(reason);
            change = Settle();
        }

        Session.Writer.FlushSoon();
        Apply(change);
    }

    internal void ReportLostOutput(Exception failure)
    {
        if (Session.TryCountLogLine())
        {
            YamuxLog.OutputLost(Session.Logger, Id, failure);
        }
    }

    /// <summary>Under the gate, when a half has changed: what that is to the session, which <see cref="Apply"/> hears of when the gate is left.</summary>
    internal StreamChange Settle()
    {
        var from = _phase;
        if (_failure is not null || (_send.State == SendState.Ended && _receive.IsEnded))
        {
            // What had come before a reset can still be read, and is held as long. With a session its limits end.
            var isHeld = _receive.State != ReceiveState.Closed && _failure is null or { ErrorCode: YamuxErrorCode.StreamReset };
            _phase = isHeld ? StreamPhase.Closed : StreamPhase.Released;
        }
        else if (_isAcknowledged)
        {
            _phase = StreamPhase.Open;
        }

        var change = new StreamChange(from, _phase);
        if (change.Enters(StreamPhase.Open))
        {
            Session.Timer.Remove(_openDeadline);
            _openDeadline = null;
        }

        if (_phase >= StreamPhase.Closed)
        {
            _closing?.End();
        }
        else if (_send.State > SendState.Open && _receive.State is ReceiveState.Discarding or ReceiveState.Closed)
        {
            _closing ??= new StreamClosing(this);
            _closing.OnSent(_send.State);
        }

        return change;
    }

    /// <summary>Under the gate: what is drained makes progress, or waits for others: not for the peer.</summary>
    internal void OnDrained() => _closing?.Restart();

    /// <summary>What follows from a change, with no lock held.</summary>
    internal void Apply(StreamChange change)
    {
        if (change.From == change.To)
        {
            return;
        }

        if (change.Enters(StreamPhase.Open) && IsOutbound)
        {
            Session.ReleaseOpenSlot();
        }

        if (change.Enters(StreamPhase.Closed))
        {
            Session.OnStreamRemoved(this, _failure?.ErrorCode);
        }

        if (change.Enters(StreamPhase.Released))
        {
            Session.ReleaseWindow(this);
        }

        if (change.Enters(StreamPhase.Closed))
        {
            CancelClosedToken();
        }
    }

    private YamuxException NewOverstayedException()
        => YamuxException.OfStream(
            Id,
            YamuxErrorCode.StreamCloseTimeout,
            $"Yamux stream {Id} was closed at this end; its peer went on sending for {Session.Options.StreamDiscardTimeout} after it had all that was sent to it.");

    private StreamChange FailUnsynchronized(YamuxException failure, bool tellPeer)
    {
        var isAbort = failure.ErrorCode == YamuxErrorCode.StreamAborted;
        if (isAbort)
        {
            _receive.Abort(failure);
        }

        if (_failure is null)
        {
            _failure = failure;
            _acknowledged.Set(failure);
            _receive.Fail(failure);
            _send.Fail(failure);
            if (_phase < StreamPhase.Closed)
            {
                Session.Writer.Reset(Id, tellPeer);
            }
            else
            {
                Session.Writer.CancelCredit(Id);
            }
        }

        return Settle();
    }

    private void OnCreditUnsynchronized(uint delta)
    {
        if (_send.OnCredit(delta))
        {
            Session.Wake(_send.Signal);
        }
    }

    private void CancelClosedToken()
    {
        CancellationTokenSource? closed;
        lock (Gate)
        {
            closed = _closed;
        }

        _ = closed?.CancelAsync(error => YamuxLog.ClosedCallbackFailed(Session.Logger, Id, error));
    }
}
