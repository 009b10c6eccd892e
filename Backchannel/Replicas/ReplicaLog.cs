using System.Net;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>What a replica logs. The event ids are stable.</summary>
internal static partial class ReplicaLog
{
    [LoggerMessage(1, LogLevel.Information, "This is replica {Replica}; others reach it at {Address}.", EventName = "ReplicaStarted")]
    public static partial void Started(ILogger logger, string replica, Uri address);

    [LoggerMessage(2, LogLevel.Error, "The directory of replicas cannot be used. Agents that are attached here, and those that are known, can be called; the others may not be found. It is tried again every {Interval}: {Reason}", EventName = "DirectoryLost")]
    public static partial void DirectoryLost(ILogger logger, TimeSpan interval, string reason);

    [LoggerMessage(3, LogLevel.Information, "The directory of replicas can be used again; {Count} agents that are attached here are written down anew.", EventName = "DirectoryFound")]
    public static partial void DirectoryFound(ILogger logger, int count);

    [LoggerMessage(4, LogLevel.Error, "Replica {Other} is alive and has the address of this one, {Address}: calls to agents of one reach the other. Each needs an address of its own (BackchannelReplicaOptions.Address).", EventName = "AddressInUse")]
    public static partial void AddressInUse(ILogger logger, string other, Uri address);

    [LoggerMessage(5, LogLevel.Warning, "The lease of this replica had lapsed, since it was not renewed for more than {Lease}; {Count} agents that are attached here are written down anew.", EventName = "LeaseLapsed")]
    public static partial void LeaseLapsed(ILogger logger, TimeSpan lease, int count);

    [LoggerMessage(6, LogLevel.Warning, "{PeerName}, attached here, is not written down for the other replicas: {Result}.", EventName = "RegistrationRefused")]
    public static partial void RegistrationRefused(ILogger logger, string peerName, PeerRegistrationResult result);

    [LoggerMessage(7, LogLevel.Debug, "A link to replica {Replica} at {Address} is up.", EventName = "LinkUp")]
    public static partial void LinkUp(ILogger logger, string replica, Uri address);

    [LoggerMessage(8, LogLevel.Debug, "A link to replica {Replica} at {Address} has ended.", EventName = "LinkDown")]
    public static partial void LinkDown(ILogger logger, string replica, Uri address, Exception? exception);

    [LoggerMessage(9, LogLevel.Warning, "Replica {Replica} cannot be reached: {Reason}", EventName = "LinkFailed")]
    public static partial void LinkFailed(ILogger logger, string replica, string reason);

    [LoggerMessage(10, LogLevel.Error, "A connection from {RemoteEndPoint} to the endpoint of links was refused: {Reason}", EventName = "LinkRefused")]
    public static partial void LinkRefused(ILogger logger, EndPoint? remoteEndPoint, string reason);

    [LoggerMessage(11, LogLevel.Debug, "A stream of {Replica} to {PeerName} was answered: {Answer}.", EventName = "LinkAnswered")]
    public static partial void Answered(ILogger logger, string replica, string peerName, LinkAnswer answer);

    [LoggerMessage(12, LogLevel.Warning, "A stream of the link from {RemoteEndPoint} was reset: {Reason}", EventName = "LinkStreamRefused")]
    public static partial void StreamRefused(ILogger logger, EndPoint? remoteEndPoint, string reason);

    [LoggerMessage(13, LogLevel.Warning, "The directory says that {PeerName} is attached to replica {Replica} at {Address}, where another replica answers.", EventName = "OtherReplica")]
    public static partial void OtherReplica(ILogger logger, string peerName, string replica, Uri address);

    [LoggerMessage(14, LogLevel.Debug, "{PeerName} could not be written down: {Reason}", EventName = "WriteFailed")]
    public static partial void WriteFailed(ILogger logger, string peerName, string reason);

    [LoggerMessage(15, LogLevel.Error, "What forwards a stream of {Replica} to {PeerName} failed.", EventName = "ForwardingFailed")]
    public static partial void ForwardingFailed(ILogger logger, string replica, string peerName, Exception exception);

    [LoggerMessage(17, LogLevel.Warning, "No endpoint takes links of other replicas: listen.UseBackchannelLink() was called for none, so that none of them can call the agents that are attached here.", EventName = "NoLinkEndpoint")]
    public static partial void NoEndpoint(ILogger logger);

    [LoggerMessage(16, LogLevel.Debug, "The lease of this replica could not be given back: it lapses.", EventName = "LeaveFailed")]
    public static partial void LeaveFailed(this ILogger logger, Exception exception);
}
