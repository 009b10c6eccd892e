using Microsoft.Extensions.Logging;

namespace ListenMux;

/// <summary>Everything that the mux logs. The event ids are stable.</summary>
internal static partial class ListenMuxLog
{
    [LoggerMessage(1, LogLevel.Debug, "Connection {ConnectionId} did not send {Count} bytes within {Timeout} and was closed.", EventName = "HandshakeTimedOut")]
    public static partial void HandshakeTimedOut(ILogger logger, string connectionId, int count, TimeSpan timeout);

    [LoggerMessage(2, LogLevel.Debug, "Connection {ConnectionId} was lost before it said what it speaks.", EventName = "ConnectionLost")]
    public static partial void ConnectionLost(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "The handler of connection {ConnectionId} failed, and the connection was closed.", EventName = "HandlerFailed")]
    public static partial void HandlerFailed(ILogger logger, string connectionId, Exception exception);
}
