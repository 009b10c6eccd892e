using StackExchange.Redis;

namespace Backchannel.StackExchangeRedis;

/// <summary>The settings of the directory in Redis.</summary>
public sealed class RedisDirectoryOptions
{
    /// <summary>
    /// How to connect. Whatever it says, <see cref="ConfigurationOptions.BacklogPolicy"/> is <see cref="BacklogPolicy.FailFast"/>, for a command that runs when it has been given up could destroy what is newer,
    /// and <see cref="ConfigurationOptions.AbortOnConnectFail"/> is false. Default: no server.
    /// </summary>
    public ConfigurationOptions Configuration { get; set; } = new();

    /// <summary>What all keys and channels begin with: another for each application that shares the Redis. The braces keep them together in a cluster. Default <c>{backchannel}:</c>.</summary>
    public string KeyPrefix { get; set; } = "{backchannel}:";

    /// <summary>How long one operation may take. Default 1 s; more than 0. After three in a row that took longer the connection is made anew: one that is half open may last for a quarter of an hour.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After how long a name is forgotten that nobody writes again. Default 15 minutes; at least a minute. Replicas write their records every 5 minutes.
    /// </summary>
    public TimeSpan RecordLifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Connects, for who wants to say how; gets <see cref="Configuration"/> as it is to be used. What it returns is disposed with the directory, and when it is replaced. Default null: <c>ConnectionMultiplexer.ConnectAsync</c>.</summary>
    public Func<ConfigurationOptions, Task<IConnectionMultiplexer>>? ConnectionFactory { get; set; }

    internal void Validate()
    {
        if (Configuration is null || Configuration.EndPoints.Count == 0)
        {
            throw new ArgumentException($"{nameof(RedisDirectoryOptions)}.{nameof(Configuration)} names no Redis: AddStackExchangeRedis(\"localhost:6379\").");
        }

        ArgumentNullException.ThrowIfNull(KeyPrefix, nameof(KeyPrefix));
        if (OperationTimeout <= TimeSpan.Zero || OperationTimeout > TimeSpan.FromMinutes(1))
        {
            throw new ArgumentOutOfRangeException(nameof(OperationTimeout), OperationTimeout, $"{nameof(RedisDirectoryOptions)}.{nameof(OperationTimeout)} is {OperationTimeout}; it must be more than 0 and at most a minute.");
        }

        if (RecordLifetime < TimeSpan.FromMinutes(1) || RecordLifetime > TimeSpan.FromDays(30))
        {
            throw new ArgumentOutOfRangeException(nameof(RecordLifetime), RecordLifetime, $"{nameof(RedisDirectoryOptions)}.{nameof(RecordLifetime)} is {RecordLifetime}; it must be at least a minute and at most 30 days.");
        }
    }
}
