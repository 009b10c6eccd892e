using Microsoft.Extensions.Logging;

namespace Backchannel.StackExchangeRedis;

/// <summary>What the directory in Redis logs. The event ids are stable.</summary>
internal static partial class RedisLog
{
    [LoggerMessage(1, LogLevel.Warning, "Redis at {Redis} has not answered {Count} operations in a row within {Timeout} each: it is connected to anew.", EventName = "ConnectionReplaced")]
    public static partial void Replaced(ILogger logger, string redis, int count, TimeSpan timeout);

    [LoggerMessage(2, LogLevel.Debug, "The connection to Redis at {Redis} could not be closed in good order.", EventName = "CloseFailed")]
    public static partial void CloseFailed(ILogger logger, string redis, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "Redis has under {Key} what is no record of the directory's: \"{Field}\" \"{Value}\". It is passed over.", EventName = "GarbagePassedOver")]
    public static partial void Garbage(ILogger logger, string key, string field, string value);
}
