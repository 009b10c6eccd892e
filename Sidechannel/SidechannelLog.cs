using Microsoft.Extensions.Logging;

namespace Sidechannel;

/// <summary>Everything that sidechannels log. The event ids are stable.</summary>
internal static partial class SidechannelLog
{
    [LoggerMessage(1, LogLevel.Debug, "Nobody waits for sidechannel {Id} on the session of stream {StreamId}, which asked for it.", EventName = "UnknownId")]
    public static partial void UnknownId(ILogger logger, long id, uint streamId);

    [LoggerMessage(2, LogLevel.Debug, "A sidechannel ended before it said its id.", EventName = "HandshakeLost")]
    public static partial void HandshakeLost(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "What was registered on the cancellation token of the callback of sidechannel {Id} has failed.", EventName = "CancellationFailed")]
    public static partial void CancellationFailed(ILogger logger, long id, Exception exception);
}
