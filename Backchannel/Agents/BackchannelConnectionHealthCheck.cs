using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Backchannel;

/// <summary>Healthy while the agent is attached to its server.</summary>
internal sealed class BackchannelConnectionHealthCheck(IBackchannelConnection connection) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = connection.State;
        var result = state == BackchannelConnectionState.Connected
            ? HealthCheckResult.Healthy($"attached as {connection.Name}")
            : new HealthCheckResult(context.Registration.FailureStatus, $"not attached ({state})", connection.LastFailure);
        return Task.FromResult(result);
    }
}
