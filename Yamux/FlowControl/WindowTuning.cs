namespace Yamux.FlowControl;

/// <summary>
/// By how much one stream's window grows, and when. Not synchronized: the stream's gate guards it.
/// </summary>
/// <remarks>
/// <para>The idea is TCP's, whose receivers size their buffers by what they see consumed in a round trip (Dynamic Right-Sizing, Fisk
/// and Feng, 2001); gRPC and QUIC do the same with the windows of their streams. A peer that a window holds up has sent all of it
/// within a round trip. So a window of which half falls due in less than two round trips may be what holds the peer up, and doubles;
/// one of which half lasts longer does not, be it that the reader is slow, or the peer, or that the window is large enough.</para>
/// <para>Two round trips, not one: times between credits come from a busy link and a busy machine, the round trip is the
/// shortest that was seen. Growth ends at a window of four to eight times what the link holds, as long as the reader keeps pace.</para>
/// <para>Where the round trip is short, the pace is looked at over some time, for a reader takes what has come in bursts: within one
/// it always keeps pace. On a path without delay, where the receiver is what is slow, windows would grow with each, and all they
/// could hold would stand in the kernel's buffers, before the frames of other streams.</para>
/// <para>A clock that stands still sees a round trip of 0, in which nothing can have been consumed: nothing grows.</para>
/// </remarks>
internal struct WindowTuning
{
    private long? _since;
    private long _passed;

    /// <summary>
    /// So much credit is given because the reader has consumed. Returns what the window, of <paramref name="size"/> and at most
    /// <paramref name="max"/>, should get beyond it: nothing with the first credit, nor while the round trip is not known, which is 0.
    /// </summary>
    /// <param name="credit">How many bytes were consumed since the last credit.</param>
    /// <param name="size">The window.</param>
    /// <param name="max">What it may become.</param>
    /// <param name="now">In ticks of the clock, as the other times.</param>
    /// <param name="roundTrip">The shortest there was.</param>
    /// <param name="shortest">Where the round trip is shorter than this, the pace is that of at least so long.</param>
    public uint OnCredit(uint credit, uint size, uint max, long now, long roundTrip, long shortest)
    {
        if (_since is not { } since)
        {
            Begin(now);
            return 0;
        }

        _passed += Math.Min(credit, size / 2); // What repays a loan was not all consumed since.
        var elapsed = now - since;
        if (roundTrip < shortest && elapsed < shortest)
        {
            return 0;
        }

        var half = elapsed * (size / (2.0 * _passed));
        var keepsPace = roundTrip > 0 && half < 2 * roundTrip;
        Begin(now);
        return keepsPace ? Math.Min(size, max - size) : 0;
    }

    /// <summary>
    /// Credit is given because the reader waits for more than the window. It grows nothing by itself, but a reader that then
    /// consumes enough for credit has kept pace since this, and not only since it consumed the last time.
    /// </summary>
    public void OnLoan(long now) => Begin(now);

    private void Begin(long now)
    {
        _since = now;
        _passed = 0;
    }
}
