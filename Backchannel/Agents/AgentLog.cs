using Backchannel.V1;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>What the agent logs of its connection. The event ids are stable, and none is one of <see cref="BackchannelLog"/>'s.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(40, LogLevel.Information, "Attached to {Address} as {PeerName}, peer {PeerId} there.", EventName = "AgentAttached")]
    public static partial void Attached(ILogger logger, string address, string peerName, long peerId);

    [LoggerMessage(41, LogLevel.Warning, "Not attached to {Address}: {Reason}. Again in {Wait}; the same reason is logged at Debug until the agent is attached.", EventName = "AgentNotAttached")]
    public static partial void NotAttached(ILogger logger, string address, string reason, TimeSpan wait);

    [LoggerMessage(42, LogLevel.Error, "{Address} refuses the agent: {Reason}. It is asked again every {Wait}; the same answer is logged at Debug until the agent is attached.", EventName = "AgentRefused")]
    public static partial void Refused(ILogger logger, string address, string reason, TimeSpan wait);

    [LoggerMessage(43, LogLevel.Debug, "Still not attached to {Address}: {Reason}. Again in {Wait}.", EventName = "AgentStillNotAttached")]
    public static partial void StillNotAttached(ILogger logger, string address, string reason, TimeSpan wait);

    [LoggerMessage(44, LogLevel.Information, "The server at {Address} is about to stop, and the agent moves; it has {Within} for that.", EventName = "AgentMoves")]
    public static partial void Moves(ILogger logger, string address, string within);

    [LoggerMessage(45, LogLevel.Information, "The agent has stopped, and let go of {Address}.", EventName = "AgentStopped")]
    public static partial void Stopped(ILogger logger, string address);

    [LoggerMessage(46, LogLevel.Error, "Letting go of a connection to {Address} failed.", EventName = "AgentLeaveFailed")]
    public static partial void LeaveFailed(ILogger logger, string address, Exception exception);

    [LoggerMessage(47, LogLevel.Warning, "No other server behind {Address} takes the agent: {Reason}. It finishes what runs, and comes back.", EventName = "AgentNotMoved")]
    public static partial void NotMoved(ILogger logger, string address, string reason);

    [LoggerMessage(48, LogLevel.Information, "{Address} has ended the attachment: {Reason}. {Detail}", EventName = "AgentDetached")]
    public static partial void Detached(ILogger logger, string address, Detached.Types.Reason reason, string detail);

    [LoggerMessage(49, LogLevel.Critical, "The agent of {Address} has failed by itself, and does not connect any more.", EventName = "AgentFailed")]
    public static partial void Failed(ILogger logger, string address, Exception failure);
}
