using Backchannel.StackExchangeRedis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace Backchannel;

/// <summary>Puts the directory of replicas into Redis.</summary>
public static class StackExchangeRedisServerBuilderExtensions
{
    /// <summary>
    /// Has replicas (<c>AddReplicas</c>) find each other, and each other's agents, in Redis 6 or newer. A Redis that is away, now or later, stops no server: what is known goes on, and what it has missed or lost
    /// is registered again within seconds of its return.
    /// </summary>
    /// <param name="builder">The server's builder.</param>
    /// <param name="configuration">A connection string of StackExchange.Redis: <c>localhost:6379</c>, <c>redis.internal:6380,ssl=true,password=…</c>.</param>
    /// <param name="configure">Changes the settings; null leaves the defaults.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException">The configuration cannot be read.</exception>
    public static IBackchannelServerBuilder AddStackExchangeRedis(this IBackchannelServerBuilder builder, string configuration, Action<RedisDirectoryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(configuration);
        var parsed = ConfigurationOptions.Parse(configuration);
        builder.Services.AddOptions<RedisDirectoryOptions>().Configure(options =>
        {
            options.Configuration = parsed;
            configure?.Invoke(options);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<BackchannelDirectory, RedisDirectory>());
        return builder;
    }
}
