using System.Net;
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

    [LoggerMessage(7, LogLevel.Warning, "Multiplexed connection {ConnectionId} from {RemoteEndPoint} was refused: {Reason}", EventName = "ConnectionRefused")]
    public static partial void ConnectionRefused(ILogger logger, string connectionId, EndPoint? remoteEndPoint, string reason);

    [LoggerMessage(8, LogLevel.Error, "OnConnecting failed for multiplexed connection {ConnectionId} from {RemoteEndPoint}, which was refused.", EventName = "OnConnectingFailed")]
    public static partial void OnConnectingFailed(ILogger logger, string connectionId, EndPoint? remoteEndPoint, Exception exception);

    [LoggerMessage(9, LogLevel.Debug, "Stream {ConnectionId} was refused: its client has {Limit} HTTP/2 connections here.", EventName = "HttpConnectionRefused")]
    public static partial void HttpConnectionRefused(ILogger logger, string connectionId, int limit);

    [LoggerMessage(10, LogLevel.Debug, "Peer {PeerId} takes no further calls: {Reason}.", EventName = "PeerDraining")]
    public static partial void PeerDraining(ILogger logger, long peerId, string reason);

    [LoggerMessage(11, LogLevel.Error, "What was to be done when {ConnectionId} is asked to close (ConnectionClosedRequested) failed.", EventName = "ClosingFailed")]
    public static partial void ClosingFailed(ILogger logger, string connectionId, AggregateException exception);

    [LoggerMessage(12, LogLevel.Warning, "No endpoint has a backchannel: listen.UseBackchannel() was called for none, or for the name of one that the configuration has not.", EventName = "NoEndpoint")]
    public static partial void NoEndpoint(ILogger logger);
}
