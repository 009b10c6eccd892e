using System.Diagnostics.Metrics;

namespace Yamux;

/// <summary>
/// The settings of a <see cref="YamuxSession"/>. The names and defaults are hashicorp/yamux's where it has them; the rest
/// are the limits that keep a hostile peer from exhausting memory or processor time. A session reads its options once, when it is created.
/// </summary>
/// <remarks>A timeout set to <see cref="Timeout.InfiniteTimeSpan"/> is switched off.</remarks>
public sealed class YamuxOptions
{
    private const int SmallestWindow = 256 * 1024;
    private const int DefaultInitialWindow = 1024 * 1024;
    internal static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private int? _initialStreamWindowSize;

    /// <summary>
    /// How many streams may wait to be accepted at this end; further ones are refused (RST). Default 256; at least 1.
    /// hashicorp/yamux, which bounds its own opens by it too: <c>AcceptBacklog</c>.
    /// </summary>
    public int AcceptBacklog { get; set; } = 256;

    /// <summary>
    /// How many streams that this end has opened may be without the peer's acknowledgement; a further
    /// <see cref="YamuxSession.OpenStreamAsync"/> waits until one of them has it, or has ended. Default 256, which is what
    /// hashicorp/yamux keeps waiting at most; at least 1.
    /// </summary>
    /// <remarks>A peer that keeps fewer refuses what is too much: set this to its limit to make opens wait instead.</remarks>
    public int MaxUnacknowledgedStreams { get; set; } = 256;

    /// <summary>
    /// How many streams of the peer may be open at once; further ones are refused (RST). A stream that has ended counts until
    /// this end lets go of it: until its reader has consumed all and knows the end, or its input is completed, or it is
    /// disposed or aborted. Default 1,024; at least 1.
    /// </summary>
    public int MaxInboundStreams { get; set; } = 1024;

    /// <summary>
    /// The window with which a stream starts: how many bytes it may hold that were received and not yet read. The peer is told
    /// when the stream opens. Default 1 MiB, or <see cref="MaxStreamWindowSize"/> where that is less; at least 262,144, which the protocol gives each stream, and at most <see cref="MaxStreamWindowSize"/>. What it has beyond
    /// 262,144 is taken from <see cref="MaxSessionWindowGrowth"/>.
    /// </summary>
    /// <remarks>
    /// While its reader keeps pace with a distant peer, a stream's window grows, up to <see cref="MaxStreamWindowSize"/>. With both
    /// the same, windows are fixed, as hashicorp/yamux's are, and no ping is sent to measure the distance. The opener of a stream gets word of the acceptor's
    /// window with its acknowledgement, a round trip later: until then it has 262,144.
    /// </remarks>
    public int InitialStreamWindowSize
    {
        get => _initialStreamWindowSize ?? Math.Min(DefaultInitialWindow, MaxStreamWindowSize);
        set => _initialStreamWindowSize = value;
    }

    /// <summary>
    /// The most that a stream's window grows to, as the time to the peer and back and the pace of the reader ask; it never shrinks.
    /// Default 16 MiB; at least 262,144 and <see cref="InitialStreamWindowSize"/>, at most 1 GiB. hashicorp/yamux, whose streams
    /// start with it: <c>MaxStreamWindowSize</c>.
    /// </summary>
    public int MaxStreamWindowSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// By how many bytes the windows of a session's streams may together exceed the 262,144 that each has; when they are
    /// given away, windows grow no more. Of windows that may grow, the first ones take three quarters at most; further streams start with a smaller one.
    /// Default 64 MiB, of which 64 streams start with 1 MiB; at least 0.
    /// </summary>
    public int MaxSessionWindowGrowth { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How long the peer may take to acknowledge a stream of ours; then that stream fails with
    /// <see cref="YamuxErrorCode.StreamOpenTimeout"/>. Default 75 s. hashicorp/yamux, which ends the whole session: <c>StreamOpenTimeout</c>.
    /// </summary>
    public TimeSpan StreamOpenTimeout { get; set; } = TimeSpan.FromSeconds(75);

    /// <summary>
    /// How long the peer may take to close a stream that we have closed in both directions, or to give credit for what we
    /// still have to send on it; then it is reset and forgotten.
    /// Default 5 minutes. hashicorp/yamux: <c>StreamCloseTimeout</c>.
    /// </summary>
    public TimeSpan StreamCloseTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a stream that was closed at this end in both directions may go on sending what it had, though the peer gives credit for it
    /// again and again within <see cref="StreamCloseTimeout"/>; then the next such time is the last. Default 30 minutes.
    /// </summary>
    public TimeSpan StreamDrainTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// How long the peer may go on sending on a stream that was closed at this end in both directions, from when it has all that this end has sent, FIN
    /// too: what it sends then is answered by RST, which makes it stop. Until then, and where this is infinite until <see cref="StreamCloseTimeout"/>, it is
    /// dropped and credited. Default infinite. QUIC, whose STOP_SENDING ends one direction alone, needs no such time.
    /// </summary>
    /// <remarks>
    /// RST ends both directions, and what a hashicorp/yamux peer has received and not read is lost with it. So this must be longer than a peer that still
    /// writes takes to read what it was sent last. That the peer has it, the answer to a ping behind FIN tells; a peer that does not answer is not reset.
    /// </remarks>
    public TimeSpan StreamDiscardTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// How long nothing may move while bytes wait to be sent: the transport takes none, and none are received. Then the session ends
    /// with <see cref="YamuxErrorCode.ConnectionWriteTimeout"/>, at most as long again after the last that moved. It also bounds how
    /// long closing a session waits for the peer. Default 10 s. hashicorp/yamux: <c>ConnectionWriteTimeout</c>.
    /// </summary>
    /// <remarks>
    /// That the transport takes bytes is seen when a write ends, of 80 KiB at most, and of less at first and where writes take long; and by answers to pings, with <see cref="EnableKeepAlive"/>. A socket that holds much unsent
    /// hides it: see <see cref="YamuxSocketExtensions.ConfigureForYamux"/>. Infinite, only the keepalive notices a peer that takes nothing, and a session that is closed waits
    /// for such a peer until it is aborted.
    /// </remarks>
    public TimeSpan ConnectionWriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether the peer is pinged every <see cref="KeepAliveInterval"/>, and, at first and where writes take long, between every 32 KiB of Data, or frames where these are longer. Default true. hashicorp/yamux: <c>EnableKeepAlive</c>.</summary>
    public bool EnableKeepAlive { get; set; } = true;

    /// <summary>The time between two keepalive pings. Default 30 s. hashicorp/yamux: <c>KeepAliveInterval</c>.</summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long after a keepalive ping nothing may move at all; then the session ends with <see cref="YamuxErrorCode.KeepAliveTimeout"/>.
    /// Any bytes that come count as an answer, and so does a write that had to wait and has ended. Default 10 s.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long the answer to a <see cref="YamuxSession.PingAsync"/> may take; then that ping fails with
    /// <see cref="YamuxErrorCode.PingTimeout"/>, and the session goes on. Default 10 s.
    /// </summary>
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many answers that the peer provoked (to pings, and to streams that were refused) may wait to be sent; one more
    /// ends the session with <see cref="YamuxErrorCode.ProtocolError"/>. Default 1,024; at least 1. The bound of CVE-2024-32984.
    /// </summary>
    /// <remarks>
    /// A peer of this library pings after each 32 KiB that it sends over a slow link, to see that they move. What comes of them at once is some dozens: fewer answers than that end sessions of
    /// peers that are well.
    /// </remarks>
    public int MaxQueuedAnswers { get; set; } = 1024;

    /// <summary>
    /// How many streams the peer may open and reset before they were accepted, within <see cref="RateLimitPeriod"/>; one
    /// more ends the session with <see cref="YamuxErrorCode.ProtocolError"/>. Default 1,000; at least 1.
    /// </summary>
    public int MaxEarlyResets { get; set; } = 1000;

    /// <summary>
    /// How many frames that change nothing (Data of no bytes, a window update of 0, no flag set) the peer may send within
    /// <see cref="RateLimitPeriod"/>; one more ends the session with <see cref="YamuxErrorCode.ProtocolError"/>.
    /// Default 10,000; at least 1.
    /// </summary>
    public int MaxEmptyFrames { get; set; } = 10_000;

    /// <summary>The period of <see cref="MaxEarlyResets"/> and <see cref="MaxEmptyFrames"/>. Default 10 s.</summary>
    public TimeSpan RateLimitPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of every timeout. Default <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>
    /// Where the meter <c>Yamux</c> comes from, which measures the session; sessions with the same source share its instruments. Default null: one meter of the process. The <c>Backchannel</c>
    /// package takes that of its container in the place of null.
    /// </summary>
    /// <remarks>Whoever listens to the meter is called on the threads of sessions, and must not block.</remarks>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>Checks every option. <see cref="YamuxSession"/> calls it when it is created.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it, its value and the range.</exception>
    /// <exception cref="ArgumentNullException"><see cref="TimeProvider"/> is null.</exception>
    public void Validate()
    {
        Check(AcceptBacklog, 1, int.MaxValue, nameof(AcceptBacklog));
        Check(MaxUnacknowledgedStreams, 1, int.MaxValue, nameof(MaxUnacknowledgedStreams));
        Check(MaxInboundStreams, 1, int.MaxValue, nameof(MaxInboundStreams));
        Check(MaxStreamWindowSize, SmallestWindow, 1 << 30, nameof(MaxStreamWindowSize));
        Check(InitialStreamWindowSize, SmallestWindow, MaxStreamWindowSize, nameof(InitialStreamWindowSize), $" The latter is {nameof(MaxStreamWindowSize)}.");
        Check(MaxSessionWindowGrowth, 0, int.MaxValue, nameof(MaxSessionWindowGrowth));
        Check(MaxQueuedAnswers, 1, int.MaxValue, nameof(MaxQueuedAnswers));
        Check(MaxEarlyResets, 1, int.MaxValue, nameof(MaxEarlyResets));
        Check(MaxEmptyFrames, 1, int.MaxValue, nameof(MaxEmptyFrames));
        Check(StreamOpenTimeout, nameof(StreamOpenTimeout));
        Check(StreamCloseTimeout, nameof(StreamCloseTimeout));
        Check(StreamDrainTimeout, nameof(StreamDrainTimeout));
        Check(StreamDiscardTimeout, nameof(StreamDiscardTimeout));
        Check(ConnectionWriteTimeout, nameof(ConnectionWriteTimeout));
        Check(KeepAliveInterval, nameof(KeepAliveInterval));
        Check(KeepAliveTimeout, nameof(KeepAliveTimeout));
        Check(PingTimeout, nameof(PingTimeout));
        Check(RateLimitPeriod, nameof(RateLimitPeriod));
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));
    }

    /// <summary>A copy, which changes apart from this one.</summary>
    public YamuxOptions Clone() => (YamuxOptions)MemberwiseClone();

    private static void Check(int value, int min, int max, string name, string more = "")
    {
        if (value < min || value > max)
        {
            throw new ArgumentOutOfRangeException(
                name, value, FormattableString.Invariant($"{nameof(YamuxOptions)}.{name} is {value}; it must be {min} to {max}.{more}"));
        }
    }

    private static void Check(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > LongestTimeout))
        {
            throw new ArgumentOutOfRangeException(
                name,
                value,
                $"{nameof(YamuxOptions)}.{name} is {value}; it must be more than 0 and at most {LongestTimeout}, or Timeout.InfiniteTimeSpan to switch it off.");
        }
    }
}
