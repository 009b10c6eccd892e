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
    private readonly string _connectionId;
    private readonly ILogger _logger;

    /// <param name="kestrel">Kestrel's own, for its HTTP/2.</param>
    /// <param name="connectionId">The stream's name in the log.</param>
    /// <param name="logger">Told of what fails.</param>
    public ServedStreamLifetime(IConnectionLifetimeNotificationFeature kestrel, string connectionId, ILogger logger)
    {
        Kestrel = kestrel;
        _connectionId = connectionId;
        _logger = logger;
        ConnectionClosedRequested = _closing.Token;
        kestrel.ConnectionClosedRequested.UnsafeRegister(static lifetime => _ = ((ServedStreamLifetime)lifetime!).CloseAsync(), this);
    }

    public IConnectionLifetimeNotificationFeature Kestrel { get; }

    public CancellationToken ConnectionClosedRequested { get; set; }

    public void RequestClose() => Kestrel.RequestClose();

    // Nobody waits for it; it throws nothing.
    private async Task CloseAsync()
    {
        try
        {
            await _closing.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException failure)
        {
            BackchannelLog.ClosingFailed(_logger, _connectionId, failure);
        }
    }
}
