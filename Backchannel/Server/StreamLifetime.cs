using Microsoft.AspNetCore.Connections.Features;

namespace Backchannel;

/// <summary>
/// When a stream that is no HTTP/2 connection is asked to close: not with its connection, in which calls still run that may need it, but when they have ended.
/// </summary>
/// <param name="connection">Of the connection that it is in.</param>
/// <param name="closeRequested">No call can need it any more.</param>
internal sealed class StreamLifetime(IConnectionLifetimeNotificationFeature? connection, CancellationToken closeRequested) : IConnectionLifetimeNotificationFeature
{
    public CancellationToken ConnectionClosedRequested { get; set; } = closeRequested;

    /// <summary>Has the whole connection close: it has one life with the calls to the client.</summary>
    public void RequestClose() => connection?.RequestClose();
}
