using System.Buffers;
using Yamux.FlowControl;
using Yamux.IO;

namespace Yamux.Internal;

/// <summary>
/// The receiving half of a stream: the receive loop fills its queue, <see cref="StreamReader"/> empties it, and what is consumed
/// becomes credit. The stream's gate guards all of it.
/// </summary>
internal sealed class ReceiveHalf
{
    private SegmentedBuffer _queue;
    private ReceiveCredit _credit = new();

    // How many of the bytes in the queue the reader has seen.
    private uint _examined;

    // A frame's header has come, and not all of its payload.
    private bool _arriving;

    private Outcome _closed;

    public ReceiveHalf(YamuxStream stream)
    {
        Stream = stream;
        Reader = new StreamReader(this);
    }

    public YamuxStream Stream { get; }

    public StreamReader Reader { get; }

    public ReceiveState State { get; private set; }

    /// <summary>Why nothing more can be read: null where the peer has ended its side, or may still send.</summary>
    public YamuxException? Failure { get; private set; }

    /// <summary>As <see cref="YamuxStream.ReadsClosed"/>.</summary>
    public Task Closed => _closed.Task;

    /// <summary>What the stream has of the session's budget for windows.</summary>
    public uint TakenFromSession => _credit.TakenFromSession;

    /// <summary>Whether there is something that the reader has not seen: bytes, or the end.</summary>
    public bool HasNews => !IsExamined || State != ReceiveState.Open;

    /// <summary>The peer's FIN has come, or what is as good.</summary>
    public bool IsEnded => State is ReceiveState.Ended or ReceiveState.Closed;

    // Some peers take offence at credit after their FIN.
    private bool TakesCredit => State is ReceiveState.Open or ReceiveState.Discarding;

    /// <summary>What has come and was not consumed.</summary>
    public ReadOnlySequence<byte> Content => _queue.Content;

    /// <summary>Opens the window: the delta of the SYN, or of the ACK. None if nothing will be read.</summary>
    public uint OpenWindow()
        => State == ReceiveState.Open ? _credit.Open(Stream.Session, withSyn: Stream.IsOutbound) : 0;

    /// <summary>Has the round trip measured, if it matters.</summary>
    public void MeasureRoundTrip() => _credit.MeasureRoundTrip(Stream.Session);

    /// <summary>The header of a Data frame with a payload has come. False: the payload, which follows, is not wanted.</summary>
    /// <exception cref="YamuxException">The peer had not so much credit.</exception>
    public bool OnDataHeader(uint length)
    {
        var remaining = _credit.Remaining;
        if (!_credit.TryReceive(Stream.Session, length))
        {
            throw YamuxException.Protocol($"a frame of {length} bytes came on stream {Stream.Id}, which had {remaining} bytes of credit");
        }

        _arriving = TakesCredit;
        return _arriving;
    }

    /// <summary>
    /// A piece of a wanted payload has come, of <paramref name="expected"/> bytes that its frame still has. False: it was dropped, and may
    /// have become credit.
    /// </summary>
    public bool OnPayload(ReadOnlySpan<byte> piece, int expected)
    {
        _arriving = expected > piece.Length;
        if (State == ReceiveState.Open)
        {
            _queue.Write(piece, expected);
            return true;
        }

        // Credited though nobody reads it: a peer that waited for credit might never read what we have written.
        Drop((uint)piece.Length);
        return false;
    }

    /// <summary>The peer's FIN has come, behind everything else. False: not for the first time.</summary>
    public bool OnFin()
    {
        if (!TakesCredit)
        {
            return false;
        }

        Stream.Session.Writer.CancelCredit(Stream.Id);
        Enter(State == ReceiveState.Open ? ReceiveState.Ended : ReceiveState.Closed);
        return true;
    }

    /// <summary>Nothing more will come, and nobody shall take that for an end; what has come can be read before.</summary>
    public void Fail(YamuxException failure)
    {
        if (State == ReceiveState.Open)
        {
            Failure = failure;
            Enter(ReceiveState.Failed);
        }
        else if (State == ReceiveState.Discarding)
        {
            Enter(ReceiveState.Closed);
        }
    }

    /// <summary>This end itself wants no more of it: what was not read is lost.</summary>
    public void Abort(YamuxException failure)
    {
        if (State != ReceiveState.Closed)
        {
            Failure ??= failure;
            Enter(ReceiveState.Closed);
        }
    }

    /// <summary>Nobody will read any more, for this reason.</summary>
    public void Discard(YamuxException reason)
    {
        if (State is ReceiveState.Discarding or ReceiveState.Closed)
        {
            return;
        }

        if (State == ReceiveState.Ended && _queue.Length == 0)
        {
            _closed.Set(); // It has read all there is, and needs not be told that it was.
        }

        Failure ??= reason;
        if (State == ReceiveState.Open)
        {
            Drop((uint)_queue.Length);
            Enter(ReceiveState.Discarding);
        }
        else
        {
            Enter(ReceiveState.Closed);
        }
    }

    /// <summary>The reader is about to be told of the end, or of the failure. Nothing is left to be held.</summary>
    public void Close()
    {
        if (State is ReceiveState.Ended or ReceiveState.Failed)
        {
            Enter(ReceiveState.Closed);
        }
    }

    /// <summary>Whether everything that has come was examined, so that what comes next is the end.</summary>
    public bool IsExamined => _queue.Length == _examined;

    /// <summary>The reader has consumed so many bytes, and seen so many of those that it was shown. True if there is credit to be sent.</summary>
    public bool OnRead(uint consumed, uint examined, bool endShown)
    {
        _queue.Consume(consumed);
        _examined = Math.Max(_examined, examined) - consumed;
        if (endShown && _queue.Length == 0)
        {
            Close();
        }

        if (consumed == 0 || !TakesCredit || !Give(_credit.OnConsumed(Stream.Session, consumed)))
        {
            return false;
        }

        MeasureRoundTrip();
        return true;
    }

    /// <summary>The reader has examined all there is, and waits for more. True if there is credit to be sent.</summary>
    /// <exception cref="YamuxException">It keeps so much that nothing more can come.</exception>
    public bool OnReaderWantsMore()
    {
        // With nothing kept back there is no window to overstay: what was consumed has become credit. And a frame takes
        // its credit when its header comes: what the reader waits for may be the rest of the payload.
        if (_examined == 0 || _arriving)
        {
            return false;
        }

        var credit = _credit.OnReaderWantsMore(Stream.Session, out var isStuck);
        if (isStuck)
        {
            _examined = 0; // The next read shows it once more, to be consumed.
            throw NewStuckException();
        }

        return Give(credit);
    }

    private YamuxException NewStuckException()
        => YamuxException.OfStream(
            Stream.Id,
            YamuxErrorCode.ReadLimitExceeded,
            $"The reader of yamux stream {Stream.Id} keeps {_queue.Length} bytes unconsumed and waits for more, which cannot come: the window is {_credit.WindowSize}, "
            + $"and a reader is lent at most {ReceiveWindow.MaxLoan} beyond it, out of {nameof(YamuxOptions)}.{nameof(YamuxOptions.MaxSessionWindowGrowth)}. Consume "
            + $"earlier, or raise {nameof(YamuxOptions)}.{nameof(YamuxOptions.InitialStreamWindowSize)}.");

    private void Drop(uint count)
    {
        if (TakesCredit)
        {
            Give(_credit.OnDropped(Stream.Session, count));
        }
    }

    private bool Give(uint credit)
    {
        if (credit > 0)
        {
            Stream.Session.Writer.AppendCredit(Stream.Id, credit);
        }

        return credit > 0;
    }

    // The only place where the state changes.
    private void Enter(ReceiveState state)
    {
        State = state;
        if (state != ReceiveState.Ended)
        {
            _closed.Set(Failure);
        }

        if (state is ReceiveState.Discarding or ReceiveState.Closed)
        {
            if (Reader.ForgetBuffer())
            {
                _queue = default; // Left to the garbage collector: the reader may still look at it, and need not say when it no longer does.
            }
            else
            {
                _queue.Clear();
            }

            _examined = 0;
        }

        Reader.Wake();
    }
}
