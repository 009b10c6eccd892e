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
    private const int FirstBytesPerWrite = 16 * 1024;

    // A small frame that comes now has to wait as long, and then as long again for what the kernel holds.
    private static readonly TimeSpan LongWrite = TimeSpan.FromMilliseconds(250);

    // More than stands out of sight anywhere: a link that took so much, and of which no write took long, is fast.
    private const int ShowsFastLink = 768 * 1024;

    // What stands in the kernel, or in a pipe behind the transport, is out of sight. Where a link is slow, or not known to be fast, a ping is put between so
    // many bytes, so that answers come as long as they move.
    private const int BytesPerProbe = 32 * 1024;

    // Enough that writes need not wait for those who wake up meanwhile.
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
