using Yamux.Protocol;

namespace Yamux.IO;

/// <summary>
/// How much is written at a time, how much may wait, and how often the peer is asked to tell that it comes: as the link is fast or slow. Guarded by the gate
/// of its <see cref="FrameWriter"/>.
/// </summary>
internal struct WritePace()
{
    /// <summary>The least that a write which had to wait must be to prove that the peer takes bytes: what is less finds room on the way to a dead end.</summary>
    public const int MinBytesPerWrite = 4 * 1024;

    // Room for a full frame, and for small ones in front of it.
    private const int MaxBytesPerWrite = 80 * 1024;

    // One of 80 KiB, begun before anything was known, took longer over 10 kB/s than ConnectionWriteTimeout.
    private const int FirstBytesPerWrite = 16 * 1024;

    // A small frame has to wait for the write that is under way. Over 100 kB/s a write waits 330 ms for the 32 KiB of which the kernel must be rid first: there a
    // ping beside bulk took 0.6 to 2.1 s, and with one queue, whose writes became small after 1 s, 3 to 4.4.
    private static readonly TimeSpan LongWrite = TimeSpan.FromMilliseconds(250);

    // More than stands out of sight anywhere: a link that took so much, and of which no write took long, is fast.
    private const int ShowsFastLink = 768 * 1024;

    // What stands in the kernel, or in a pipe behind the transport, is out of sight. Where a link is slow, or not known to be fast, a ping is put between so
    // many bytes, so that answers come as long as they move: 14 s without a sign were seen over 10 kB/s.
    private const int BytesPerProbe = 32 * 1024;

    // Enough that writes need not wait for those who wake up meanwhile: with 64 KiB bulk16 had 0.79 (0.56 to 1.08), with 256 KiB 0.74 (0.70 to 0.76) of what it has.
    private const int MaxWaitingWhenFast = 128 * 1024;

    private int _bytesSinceSlow; // Up to ShowsFastLink.
    private int _bytesSinceProbe;
    private bool _isSlow;

    /// <summary>The most bytes in one write.</summary>
    public int BytesPerWrite { get; private set; } = FirstBytesPerWrite;

    /// <summary>The most bytes of payload in one frame that is new.</summary>
    public readonly int MaxPayload => _isSlow ? Math.Min(BytesPerWrite - FrameHeader.Size, FrameWriter.MaxFramePayload) : FrameWriter.MaxFramePayload;

    /// <summary>How much bulk may wait before no more is appended.</summary>
    public readonly int MaxWaiting => _isSlow ? Math.Min(2 * BytesPerWrite, MaxWaitingWhenFast) : MaxWaitingWhenFast;

    /// <summary>So much Data is appended. True if a probe is to stand behind it.</summary>
    public bool TakeProbe(int length)
    {
        if (_bytesSinceSlow == ShowsFastLink)
        {
            return false;
        }

        _bytesSinceProbe += length;
        if (_bytesSinceProbe < BytesPerProbe)
        {
            return false;
        }

        _bytesSinceProbe = 0;
        return true;
    }

    /// <summary>A write has ended.</summary>
    /// <param name="count">Its bytes.</param>
    /// <param name="waited">How long it had to wait; null: it ended at once.</param>
    public void OnWritten(int count, TimeSpan? waited)
    {
        if (waited > LongWrite)
        {
            _isSlow = true;
            _bytesSinceSlow = 0;
            BytesPerWrite = Math.Max(BytesPerWrite / 2, MinBytesPerWrite);
        }
        else if (count == BytesPerWrite && !(waited > LongWrite / 4))
        {
            // One that ends at once says little until the buffers on the way are full, so it goes up step by step then.
            BytesPerWrite = Math.Min(waited is null ? BytesPerWrite + MinBytesPerWrite : BytesPerWrite * 2, MaxBytesPerWrite);
        }

        _bytesSinceSlow = Math.Min(_bytesSinceSlow + count, ShowsFastLink);
        _isSlow &= _bytesSinceSlow < ShowsFastLink;
    }
}
