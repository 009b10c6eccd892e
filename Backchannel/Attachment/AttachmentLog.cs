using System.Net;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>What the server logs of attachments. The event ids are stable, and none is one of <see cref="BackchannelLog"/>'s.</summary>
internal static partial class AttachmentLog
{
    [LoggerMessage(20, LogLevel.Information, "{PeerName} is attached, as peer {PeerId}.", EventName = "Attached")]
    public static partial void Attached(ILogger logger, string peerName, long peerId);

    [LoggerMessage(21, LogLevel.Information, "{PeerName}, peer {PeerId}, was detached: {Reason}.", EventName = "Detached")]
    public static partial void Detached(ILogger logger, string peerName, long peerId, PeerDisconnectReason reason);

    [LoggerMessage(EventId = 22, Message = "Peer {PeerId} from {RemoteEndPoint} could not attach: {StatusCode}, {Reason}.", EventName = "AttachRefused")]
    public static partial void Refused(ILogger logger, LogLevel level, long peerId, EndPoint? remoteEndPoint, StatusCode statusCode, string reason);

    [LoggerMessage(23, LogLevel.Error, "A peer observer of type {Observer} failed at {PeerName}, {Kind}.", EventName = "ObserverFailed")]
    public static partial void ObserverFailed(ILogger logger, string observer, string peerName, PeerChangeKind kind, Exception exception);
}
