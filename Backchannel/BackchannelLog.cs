using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Everything that the backchannel logs. The event ids are stable.</summary>
internal static partial class BackchannelLog
{
    [LoggerMessage(1, LogLevel.Debug, "Peer {PeerId} can be called, over connection {ConnectionId}.", EventName = "PeerConnected")]
    public static partial void PeerConnected(ILogger logger, long peerId, string connectionId);

    [LoggerMessage(2, LogLevel.Debug, "Peer {PeerId} has gone, with connection {ConnectionId}.", EventName = "PeerDisconnected")]
    public static partial void PeerDisconnected(ILogger logger, long peerId, string connectionId);

    [LoggerMessage(3, LogLevel.Debug, "Multiplexed connection {ConnectionId} opened no stream within {Timeout} and was closed.", EventName = "HandshakeTimedOut")]
    public static partial void HandshakeTimedOut(ILogger logger, string connectionId, TimeSpan timeout);

    [LoggerMessage(4, LogLevel.Debug, "Serving the backchannel of a connection.", EventName = "Serving")]
    public static partial void Serving(ILogger logger);

    [LoggerMessage(5, LogLevel.Error, "Serving the backchannel of a connection failed, and the connection was closed.", EventName = "ServingFailed")]
    public static partial void ServingFailed(ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Error, "What served stream {ConnectionId} failed, and the stream was aborted.", EventName = "StreamFailed")]
    public static partial void StreamFailed(ILogger logger, string connectionId, Exception exception);
}
