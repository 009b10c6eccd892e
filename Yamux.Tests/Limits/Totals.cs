namespace Yamux.Tests.Limits;

/// <summary>The totals of docs/limits.md: what a peer can make a session hold, computed from its options.</summary>
internal static class Totals
{
    public const long Window = 262_144;

    /// <summary>Of each stream that holds bytes: what is consumed of its first array, and free in its last.</summary>
    public const long Arrays = 192 * 1024;

    /// <summary>The application accepts nothing.</summary>
    public static long Unaccepted(YamuxOptions options) => Math.Min(options.AcceptBacklog, options.MaxInboundStreams) * Window;

    /// <summary>It accepts everything and reads nothing, and windows are not larger from the start.</summary>
    public static long Unread(YamuxOptions options) => options.MaxInboundStreams * Window;

    /// <summary>The same where windows are larger from the start, and may grow.</summary>
    public static long UnreadFirstWindows(YamuxOptions options)
        => Unread(options) + Math.Min(options.MaxInboundStreams * (options.InitialStreamWindowSize - Window), options.MaxSessionWindowGrowth / 4 * 3);

    /// <summary>Whatever it does, with so many streams of its own.</summary>
    public static long Received(YamuxOptions options, int ownStreams) => ((options.MaxInboundStreams + ownStreams) * Window) + options.MaxSessionWindowGrowth;

    /// <summary>The peer reads nothing: what waits, what is being written, and the answers that it provokes.</summary>
    public static long Sent(YamuxOptions options) => (2 * 256 * 1024) + (64 * 1024) + Frame.HeaderSize + (options.MaxQueuedAnswers * (long)Frame.HeaderSize);
}
