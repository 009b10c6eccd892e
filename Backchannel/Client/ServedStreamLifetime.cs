using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>
/// What middleware sees of when a stream is asked to close. What it hangs on that may take its time, and fail: Kestrel, and whoever else asks, hears nothing of it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class ServedStreamLifetime : IConnectionLifetimeNotificationFeature
{
    private readonly CancellationTokenSource _closing = new();

    /// <param name="kestrel">Kestrel's own, for its HTTP/2.</param>
    /// <param name="connectionId">The stream's name in the log.</param>
    /// <param name="logger">Told of what fails.</param>
    public ServedStreamLifetime(IConnectionLifetimeNotificationFeature kestrel, string connectionId, ILogger logger)
    {
        Kestrel = kestrel;
        ConnectionClosedRequested = _closing.Token;
        kestrel.ConnectionClosedRequested.UnsafeRegister(_ => _ = _closing.CancelAsync(logger, connectionId), null);
    }

    public IConnectionLifetimeNotificationFeature Kestrel { get; }

    public CancellationToken ConnectionClosedRequested { get; set; }

    public void RequestClose() => Kestrel.RequestClose();
}
