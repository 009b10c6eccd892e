using Yamux.FlowControl;
using Yamux.Internal;
using Yamux.Protocol;

namespace Yamux;

/// <content>What the peer may send: the window, the credit that keeps it open, and its growth while the reader keeps pace.</content>
public sealed partial class YamuxStream
{
    // A reader's pace is that of 20 ms, in which all threads of a busy machine have had their turn.
    private const int PacesPerSecond = 50;

    private ReceiveWindow _receiveWindow = new(FrameHeader.InitialWindow);
    private WindowTuning _tuning;

    /// <summary>
    /// What the window took of the session's budget. Guarded by the gate until the stream holds no window any more; it stays the
    /// same from then on, and the session has it back.
    /// </summary>
    internal uint WindowGrowth { get; private set; }

    // Once, with the SYN or the ACK, whose delta tells the peer.
    private uint OpenWindowUnsynchronized()
        => GrowUnsynchronized((uint)Session.Options.InitialStreamWindowSize - FrameHeader.InitialWindow);

    // The reader has consumed so many bytes: they become credit, and with it, while the reader keeps pace, the window grows.
    // True if there is credit to be sent.
    private bool OnConsumedUnsynchronized(uint count)
    {
        var credit = _receiveWindow.Consume(count);
        if (credit == 0 || !TakesCreditUnsynchronized())
        {
            return false;
        }

        if (!MayGrowUnsynchronized())
        {
            Session.Writer.AppendCredit(this, credit);
            return true;
        }

        var options = Session.Options;
        var wanted = _tuning.OnCredit(
            credit,
            _receiveWindow.Size,
            (uint)options.MaxStreamWindowSize,
            options.TimeProvider.GetTimestamp(),
            Session.RoundTrip,
            options.TimeProvider.TimestampFrequency / PacesPerSecond);
        Session.Writer.AppendCredit(this, credit + GrowUnsynchronized(wanted));
        MeasureUnsynchronized();
        return true;
    }

    // If the round trip matters.
    private void MeasureUnsynchronized()
    {
        if (MayGrowUnsynchronized())
        {
            Session.MeasureRoundTrip();
        }
    }

    // What nobody will read, or what a reader is lent. It grows nothing: dropping bytes is no pace.
    private bool GiveCreditUnsynchronized(uint credit)
    {
        if (credit == 0 || !TakesCreditUnsynchronized())
        {
            return false;
        }

        Session.Writer.AppendCredit(this, credit);
        return true;
    }

    // The reader has seen all there is, keeps some of it, and wants more. It may be waiting for more than a window holds. True
    // if there is credit to be sent.
    private bool OnReaderWantsMoreUnsynchronized()
    {
        var credit = _receiveWindow.Starve();
        if (credit != 0 && MayGrowUnsynchronized())
        {
            _tuning.OnLoan(Session.Options.TimeProvider.GetTimestamp());
        }

        return GiveCreditUnsynchronized(credit);
    }

    // None after the peer's FIN: it needs no more, and some peers take offence.
    private bool TakesCreditUnsynchronized() => (_state & (StreamState.FinReceived | StreamState.Failed)) == 0;

    private bool MayGrowUnsynchronized()
        => Session.TunesWindows && _receiveWindow.Size < Session.Options.MaxStreamWindowSize && Session.HasWindowGrowth;

    // Only while the stream takes credit: then it is not removed, and what it takes from the session will be given back.
    private uint GrowUnsynchronized(uint wanted)
    {
        var growth = Session.TakeWindowGrowth(wanted);
        WindowGrowth += growth;
        _receiveWindow.Grow(growth);
        return growth;
    }
}
