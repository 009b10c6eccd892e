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

    private ReceiveWindow _window = new(FrameHeader.InitialWindow);
    private WindowTuning _tuning;

    /// <summary>How many bytes the stream may hold, but for what its reader was lent.</summary>
    public readonly uint WindowSize => _window.Size;

    /// <summary>How many bytes the peer may still send.</summary>
    public readonly uint Remaining => _window.Remaining;

    /// <summary>What the stream has of the session's budget: what the window has beyond 262,144, and what its reader was lent.</summary>
    public readonly uint TakenFromSession => _window.Size - FrameHeader.InitialWindow + _window.Overdraft;

    /// <summary>The window is opened, with the SYN or the ACK, whose delta tells the peer what is returned.</summary>
    public uint Open(YamuxSession session) => Grow(session, (uint)session.Options.InitialStreamWindowSize - FrameHeader.InitialWindow);

    /// <summary>Takes the credit of a frame of <paramref name="length"/> bytes. False if the peer had not that much.</summary>
    public bool TryReceive(uint length) => _window.TryReceive(length);

    /// <summary>The reader has consumed so many bytes: returns the credit to send now, and with it, while the reader keeps pace, the window's growth.</summary>
    public uint OnConsumed(YamuxSession session, uint count)
    {
        var credit = OnDropped(session, count);
        if (credit == 0 || !MayGrow(session))
        {
            return credit;
        }

        var options = session.Options;
        var wanted = _tuning.OnCredit(
            credit,
            _window.Size,
            (uint)options.MaxStreamWindowSize,
            options.TimeProvider.GetTimestamp(),
            session.RoundTrip,
            options.TimeProvider.TimestampFrequency / PacesPerSecond);
        return credit + Grow(session, wanted);
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
            _tuning.OnLoan(session.Options.TimeProvider.GetTimestamp());
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
