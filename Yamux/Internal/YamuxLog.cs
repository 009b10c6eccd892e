using Microsoft.Extensions.Logging;

namespace Yamux.Internal;

/// <summary>Everything that the engine logs. The event ids are stable.</summary>
internal static partial class YamuxLog
{
    [LoggerMessage(1, LogLevel.Debug, "The yamux session was closed.", EventName = "SessionClosed")]
    public static partial void SessionClosed(ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "The yamux session ended: {Reason}", EventName = "SessionFailed")]
    public static partial void SessionFailed(ILogger logger, string reason, Exception? exception);

    [LoggerMessage(3, LogLevel.Warning, "The yamux session was ended for a fault of this end.", EventName = "InternalError")]
    public static partial void InternalError(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Debug, "Ignored on yamux stream {StreamId}: {What}", EventName = "FrameIgnored")]
    public static partial void FrameIgnored(ILogger logger, uint streamId, string what);

    [LoggerMessage(5, LogLevel.Debug, "Refused yamux stream {StreamId}: {Why}", EventName = "StreamRefused")]
    public static partial void StreamRefused(ILogger logger, uint streamId, string why);

    [LoggerMessage(6, LogLevel.Debug, "More of the same from this peer is not logged.", EventName = "LogLimitReached")]
    public static partial void LogLimitReached(ILogger logger);

    [LoggerMessage(7, LogLevel.Debug, "The transport of a yamux session failed while it was closed.", EventName = "CloseFailed")]
    public static partial void CloseFailed(ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Debug, "What was written to yamux stream {StreamId} and not flushed did not arrive.", EventName = "OutputLost")]
    public static partial void OutputLost(ILogger logger, uint streamId, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "A callback registered with the Closed token of yamux stream {StreamId} threw.", EventName = "ClosedCallbackFailed")]
    public static partial void ClosedCallbackFailed(ILogger logger, uint streamId, Exception exception);

    [LoggerMessage(10, LogLevel.Warning, "Not all that was flushed may have arrived: {Reason}", EventName = "CloseGivenUp")]
    public static partial void CloseGivenUp(ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Warning, "A callback registered with the GoAwayReceived token of a yamux session threw.", EventName = "GoAwayCallbackFailed")]
    public static partial void GoAwayCallbackFailed(ILogger logger, Exception exception);
}
