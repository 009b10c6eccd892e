using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Makes a server one of several replicas.</summary>
public static class BackchannelReplicaBuilderExtensions
{
    /// <summary>
    /// Makes this server a replica of several that share a <see cref="BackchannelDirectory"/>: each calls every agent by its name, whichever it is attached to. They reach each other on an endpoint with
    /// <see cref="BackchannelLinkListenOptionsExtensions.UseBackchannelLink"/>. The directory is in memory, and so of one process, unless another is added: <c>AddStackExchangeRedis("localhost:6379")</c>.
    /// </summary>
    /// <param name="builder">The server's backchannel.</param>
    /// <param name="configure">Says where this replica is reached, at least.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IBackchannelServerBuilder AddReplicas(this IBackchannelServerBuilder builder, Action<BackchannelReplicaOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var services = builder.Services;
        services.AddOptions<BackchannelReplicaOptions>().Configure(configure);
        services.AddOptions<BackchannelReplicaOptions>().PostConfigure<IMeterFactory, IOptions<BackchannelServerOptions>>(static (replica, meters, server) =>
        {
            if (replica.Yamux is not null) // It is told when the options are checked.
            {
                replica.Yamux = MeterSource.Fill(replica.Yamux, meters);
            }
        });
        services.TryAddSingleton<BackchannelDirectory>(provider => new InMemoryBackchannelDirectory(provider.GetRequiredService<IOptions<BackchannelServerOptions>>().Value.Yamux.TimeProvider));
        services.TryAddSingleton<ReplicaMembership>();
        services.TryAddSingleton<PeerRegistrar>();
        services.TryAddSingleton<ReplicaMetrics>();
        services.TryAddSingleton<LinkDialer>();
        services.TryAddSingleton<ReplicaLinks>();
        services.TryAddSingleton<LinkMiddleware>();
        services.TryAddSingleton<FarLists>();
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<FarPeers>(provider, new PeerChannels(
            provider.GetRequiredService<IOptions<BackchannelServerOptions>>().Value,
            provider.GetRequiredService<PeerInterceptors>(),
            provider.GetRequiredService<ServerMetrics>(),
            provider.GetRequiredService<ReplicaMembership>().Id)));
        services.Replace(ServiceDescriptor.Singleton<IOtherReplicas, OtherReplicas>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ReplicaService>());
        return builder;
    }
}
