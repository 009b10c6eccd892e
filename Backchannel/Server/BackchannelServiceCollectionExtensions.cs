using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Backchannel;

/// <summary>Registers the server's side of the backchannel.</summary>
public static class BackchannelServiceCollectionExtensions
{
    /// <summary>Adds <see cref="IBackchannelRegistry"/> and what <see cref="BackchannelListenOptionsExtensions.UseBackchannel"/> needs.</summary>
    /// <param name="services">The server's services.</param>
    /// <param name="configure">Changes the settings, of all endpoints; null leaves the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddBackchannel(this IServiceCollection services, Action<BackchannelServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<BackchannelRegistry>();
        services.TryAddSingleton<IBackchannelRegistry>(provider => provider.GetRequiredService<BackchannelRegistry>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, MissingEndpointWarning>());
        services.AddOptions<BackchannelServerOptions>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }
}
