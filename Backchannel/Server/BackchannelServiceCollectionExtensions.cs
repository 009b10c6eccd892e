using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Registers the server's side of the backchannel.</summary>
public static class BackchannelServiceCollectionExtensions
{
    /// <summary>Adds <see cref="IBackchannelPeers"/>, <see cref="IBackchannelRegistry"/> and what <see cref="BackchannelListenOptionsExtensions.UseBackchannel"/> needs.</summary>
    /// <param name="services">The server's services.</param>
    /// <param name="configure">Changes the settings, of all endpoints; null leaves the defaults.</param>
    /// <returns>Adds what the application has of its own.</returns>
    public static IBackchannelServerBuilder AddBackchannel(this IServiceCollection services, Action<BackchannelServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<BackchannelRegistry>();
        services.TryAddSingleton<IBackchannelRegistry>(provider => provider.GetRequiredService<BackchannelRegistry>());
        services.TryAddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<BackchannelServerOptions>>().Value;
            return new PeerNames(options.DuplicateNames, options.MaxPeersPerName);
        });
        services.AddMetrics();
        services.TryAddSingleton(provider => new ServerMetrics(
            provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<IOptions<BackchannelServerOptions>>().Value.Yamux.TimeProvider));
        services.TryAddSingleton<PeersDrain>();
        services.TryAddSingleton<PeerInterceptors>();
        services.TryAddSingleton<IBackchannelPeers, BackchannelPeers>();
        services.TryAddSingleton<IOtherReplicas, NoOtherReplicas>();
        services.TryAddSingleton<IBackchannelPeerNameProvider, UserPeerNameProvider>();
        services.AddHttpContextAccessor();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, MissingEndpointWarning>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PeerObservers>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PeersDrain>(provider => provider.GetRequiredService<PeersDrain>()));
        var options = services.AddOptions<BackchannelServerOptions>();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        options.PostConfigure<IMeterFactory>(static (server, meters) =>
        {
            if (server.Yamux is not null) // It is told when the options are checked.
            {
                server.Yamux = MeterSource.Fill(server.Yamux, meters);
            }
        });

        return new BackchannelServerBuilder(services);
    }
}
