using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Backchannel;

/// <summary>Adds the health check of an agent.</summary>
public static class BackchannelHealthChecksBuilderExtensions
{
    /// <summary>Adds a check that is healthy while the agent is attached to its server.</summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The name of the check. Default <c>backchannel</c>.</param>
    /// <param name="failureStatus">What it reports otherwise; null: unhealthy.</param>
    /// <param name="tags">To filter by; null: none.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IHealthChecksBuilder AddBackchannelConnection(
        this IHealthChecksBuilder builder, string name = "backchannel", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<BackchannelConnectionHealthCheck>(name, failureStatus, tags ?? []);
    }
}
