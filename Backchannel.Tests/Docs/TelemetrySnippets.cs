using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Backchannel.Tests.Docs;

/// <summary>What docs/telemetry.md shows.</summary>
internal static class TelemetrySnippets
{
    public static void Add(IServiceCollection services)
    {
        services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("Backchannel.Server", "Backchannel.Agent", "Backchannel.Replicas", "Yamux"))
            .WithTracing(tracing => tracing.AddSource("Backchannel"));
    }
}
