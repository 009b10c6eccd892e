namespace Yamux.FlowControl;

/// <summary>
/// By how much one stream's window grows, and when. Not synchronized: the stream's gate guards it.
/// </summary>
/// <remarks>
/// <para>The idea is TCP's, whose receivers size their buffers by what they see consumed in a round trip (Dynamic Right-Sizing, Fisk
/// and Feng, 2001); gRPC and QUIC do the same with the windows of their streams. A peer that a window holds up has sent all of it
/// within a round trip. So a window of which half falls due in less than two round trips may be what holds the peer up, and grows;
/// one of which half lasts longer does not, be it that the reader is slow, or the peer, or that the window is large enough.</para>
/// <para>Two round trips, not one: times between credits come from a busy link and a busy machine, the round trip is the
/// shortest that was seen. Growth ends at a window of four to eight times what the link holds, as long as the reader keeps pace.</para>
/// <para>By how much: a far peer sends its window in one burst and then stands still. How fast that burst came tells what the link carries, so the
/// window becomes twice what would come in a round trip at that pace, in one step: doubling would cost a round trip each time.</para>
/// <para>Where the round trip is short, the pace is looked at over some time, for a reader takes what has come in bursts: within one
/// it always keeps pace. On a path without delay, where the receiver is what is slow, windows would grow with each, and all they
/// could hold would stand in the kernel's buffers, before the frames of other streams. There windows double.</para>
/// <para>A clock that stands still sees a round trip of 0, in which nothing can have been consumed: nothing grows.</para>
/// </remarks>
internal struct WindowTuning
{
    /// <summary>By how many times a window grows at once, when it does: to the default's greatest from its first.</summary>
    public const int LargestStep = 16;

    // Times in ticks of the clock, which are 0 while there are none: every stream has these fields.
    private long _since;
    private long _burst;
    private uint _passed;
    private uint _beforeBurst;

    /// <summary>Whether it is not known yet since when the burst is coming.</summary>
    public readonly bool AwaitsBurst => _since != 0 && _burst == 0;

    /// <summary>The peer is given credit: what it sends for it is what counts from now on.</summary>
    public void Begin(long now)
    {
        _since = now;
        _passed = 0;
        _burst = 0;
        _beforeBurst = 0;
    }

    /// <summary>
    /// A frame of <paramref name="length"/> bytes begins to come, of <paramref name="due"/> for which the next credit will be given. What comes first may
    /// have been sent before the peer stood still: the burst begins behind a quarter.
    /// </summary>
    public void OnArrival(uint length, uint due, long now)
    {
        if (_beforeBurst + length > due / 4)
        {
            _burst = now;
        }
        else
        {
            _beforeBurst += length;
        }
    }

    /// <summary>Whether it began no longer ago than <paramref name="time"/>.</summary>
    public readonly bool BeganWithin(long time, long now) => _since != 0 && now - _since <= time;

    /// <summary>
    /// So much credit is given because the reader has consumed. Returns what the window, of <paramref name="size"/> and at most
    /// <paramref name="max"/>, should get beyond it: nothing while the round trip is not known, which is 0.
    /// </summary>
    /// <param name="credit">How many bytes were consumed since the last credit.</param>
    /// <param name="size">The window.</param>
    /// <param name="max">What it may become.</param>
    /// <param name="now">In ticks of the clock, as the other times.</param>
    /// <param name="roundTrip">The shortest there was.</param>
    /// <param name="shortest">Where the round trip is shorter than this, the pace is that of at least so long.</param>
    public uint OnCredit(uint credit, uint size, uint max, long now, long roundTrip, long shortest)
    {
        if (_since == 0 || roundTrip == 0)
        {
            Begin(now);
            return 0;
        }

        var passed = (ulong)_passed + Math.Min(credit, size / 2); // What repays a loan was not all consumed since.
        _passed = (uint)Math.Min(passed, uint.MaxValue);
        var elapsed = now - _since;
        var isNear = roundTrip < shortest;
        if (isNear && elapsed < shortest)
        {
            return 0;
        }

        var half = elapsed * (size / (2.0 * _passed));
        var keepsPace = half < 2 * roundTrip;
        var carried = 2.0 * roundTrip * (_passed - _beforeBurst) / Math.Max(1, now - (_burst == 0 ? _since : _burst));
        Begin(now);
        if (!keepsPace)
        {
            return 0;
        }

        var wanted = isNear ? 2L * size : (long)Math.Clamp(carried, 2.0 * size, (double)LargestStep * size);
        return (uint)(Math.Min(wanted, max) - size);
    }
}
