using Yamux.Protocol;

namespace Yamux;

/// <content>The windows of the streams: what they may have beyond 262,144, all together, and the round trip that their growth needs.</content>
public sealed partial class YamuxSession
{
    private int _growthLeft; // Interlocked
    private bool _coldStepTaken; // Interlocked

    /// <summary>Whether windows grow with use. Otherwise they are advertised at once, and the peer sees no ping for their sake.</summary>
    internal bool TunesWindows => Options.InitialStreamWindowSize < Options.MaxStreamWindowSize;

    /// <summary>Whether anything is left of what windows may have beyond 262,144.</summary>
    internal bool HasWindowGrowth => Volatile.Read(ref _growthLeft) > 0;

    /// <summary>In ticks of the clock; 0 while it is not known.</summary>
    internal long RoundTrip => _pings.RoundTrip;

    /// <summary>Whether a window may grow though the round trip is not known: once, for the first stream that could tell.</summary>
    internal bool TryTakeColdStep() => Interlocked.Exchange(ref _coldStepTaken, true) == false;

    /// <summary>The same for a window that opens. Where windows grow, a quarter is left to those that have to: streams that wait could hold all of it.</summary>
    internal uint TakeFirstWindow(uint wanted) => Take(wanted, TunesWindows ? Options.MaxSessionWindowGrowth / 4 : 0);

    /// <summary>Takes what there is, and at most what is wanted, for a stream's window to have beyond 262,144.</summary>
    internal uint TakeWindowGrowth(uint wanted) => Take(wanted, leave: 0);

    /// <summary>What was taken and is held no longer.</summary>
    internal void ReturnWindowGrowth(uint taken)
    {
        if (taken != 0)
        {
            Interlocked.Add(ref _growthLeft, (int)taken);
        }
    }

    /// <summary>The stream holds its window no longer: the session may give its place, and what it had grown by, to others.</summary>
    internal void ReleaseWindow(YamuxStream stream)
    {
        ReturnWindowGrowth(stream.WindowGrowth);
        if (!stream.IsOutbound)
        {
            _inboundCount.Decrement();
        }
    }

    /// <summary>A stream begins, or would grow if the round trip allowed it: a ping, if one is due. Nobody waits for the answer.</summary>
    internal void MeasureRoundTrip()
    {
        if (_pings.TryNextMeasure(out var value))
        {
            Writer.AppendControl(new FrameHeader(FrameType.Ping, FrameFlags.Syn, 0, value));
        }
    }

    private uint Take(uint wanted, int leave)
    {
        while (true)
        {
            var left = Volatile.Read(ref _growthLeft);
            var taken = (int)Math.Min((uint)Math.Max(0, left - leave), wanted);
            if (Interlocked.CompareExchange(ref _growthLeft, left - taken, left) == left)
            {
                return (uint)taken;
            }
        }
    }
}
