using Yamux.Protocol;

namespace Yamux.FlowControl;

/// <summary>
/// What the peer may send on one stream: the window, the credit that keeps it open, its growth while the reader keeps pace, and what a
/// reader is lent. Not synchronized: the stream's gate guards it.
/// </summary>
internal struct ReceiveCredit()
{
    // A reader's pace is that of 20 ms, in which all threads of a busy machine have had their turn.
    private const int PacesPerSecond = 50;

    // To how many times its first a window grows while nothing is known of the peer's distance: from 1 MiB to 4.
    private const uint ColdStep = 4;

    private ReceiveWindow _window = new(FrameHeader.InitialWindow);
    private WindowTuning _tuning;

    /// <summary>How many bytes the stream may hold, but for what its reader was lent.</summary>
    public readonly uint WindowSize => _window.Size;

    /// <summary>How many bytes the peer may still send.</summary>
    public readonly uint Remaining => _window.Remaining;

    /// <summary>What the stream has of the session's budget: what the window has beyond 262,144, and what its reader was lent.</summary>
    public readonly uint TakenFromSession => _window.Size - FrameHeader.InitialWindow + _window.Overdraft;

    /// <summary>The window is opened, with the SYN or with the ACK, whose delta tells the peer what is returned. Until an ACK comes, it knows of 262,144.</summary>
    public uint Open(YamuxSession session, bool withSyn)
    {
        if (session.TunesWindows)
        {
            _tuning.Begin(session.Options.TimeProvider.GetTimestamp());
        }

        // Who was not told at once may have had growth by now.
        var initial = (uint)session.Options.InitialStreamWindowSize;
        var growth = session.TakeFirstWindow(initial - Math.Min(initial, _window.Size));
        _window.Grow(growth);
        if (withSyn)
        {
            _window.OnTold();
        }

        return growth;
    }

    /// <summary>Takes the credit of a frame of <paramref name="length"/> bytes. False if the peer had not that much.</summary>
    public bool TryReceive(YamuxSession session, uint length)
    {
        if (!_window.TryReceive(length))
        {
            return false;
        }

        if (_tuning.AwaitsBurst)
        {
            _tuning.OnArrival(length, _window.Due, session.Options.TimeProvider.GetTimestamp());
        }

        return true;
    }

    /// <summary>The reader has consumed so many bytes: returns the credit to send now, and with it, while the reader keeps pace, the window's growth.</summary>
    public uint OnConsumed(YamuxSession session, uint count)
    {
        var isFirst = !_window.IsTold;
        var credit = OnDropped(session, count);
        if (credit == 0 || !MayGrow(session))
        {
            return credit;
        }

        var options = session.Options;
        var (roundTrip, now, pace) = (session.RoundTrip, options.TimeProvider.GetTimestamp(), options.TimeProvider.TimestampFrequency / PacesPerSecond);
        var max = (uint)options.MaxStreamWindowSize;
        if (isFirst && roundTrip == 0 && _tuning.BeganWithin(pace, now) && session.TryTakeColdStep())
        {
            // The first stream of a new connection. The peer has sent half of what it had before it heard of us, and waits for our word a round trip long: how long that is, its
            // answer to our ping tells only then.
            _tuning.Begin(now);
            return credit + Grow(session, Math.Min((ColdStep - 1) * _window.Size, max - _window.Size));
        }

        return credit + Grow(session, _tuning.OnCredit(credit, _window.Size, max, now, roundTrip, pace));
    }

    /// <summary>So many bytes came that nobody reads: returns the credit to send now. It grows nothing, for dropping bytes is no pace.</summary>
    public uint OnDropped(YamuxSession session, uint count)
    {
        var credit = _window.Consume(count, out var repaid);
        session.ReturnWindowGrowth(repaid);
        return credit;
    }

    /// <summary>
    /// The reader has seen all there is, keeps some of it, and wants more, perhaps more than a window holds. Returns the credit to send
    /// now; <paramref name="isStuck"/>: there is none, and nothing more will come.
    /// </summary>
    public uint OnReaderWantsMore(YamuxSession session, out bool isStuck)
    {
        isStuck = false;
        if (_window.Remaining != 0)
        {
            return 0;
        }

        var credit = _window.Starve();
        if (credit == 0)
        {
            credit = _window.Lend(session.TakeWindowGrowth(_window.LoanWanted));
            isStuck = credit == 0;
        }

        if (MayGrow(session))
        {
            _tuning.Begin(session.Options.TimeProvider.GetTimestamp());
        }

        return credit;
    }

    /// <summary>Measures the round trip, if it matters: behind the credit that is given.</summary>
    public readonly void MeasureRoundTrip(YamuxSession session)
    {
        if (MayGrow(session))
        {
            session.MeasureRoundTrip();
        }
    }

    private readonly bool MayGrow(YamuxSession session)
        => session.TunesWindows && _window.Size < session.Options.MaxStreamWindowSize && session.HasWindowGrowth;

    private uint Grow(YamuxSession session, uint wanted)
    {
        var growth = session.TakeWindowGrowth(wanted);
        _window.Grow(growth);
        return growth;
    }
}
