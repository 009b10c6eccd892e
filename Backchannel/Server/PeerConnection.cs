using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>The connection that a peer is reached by, as Kestrel knows it.</summary>
internal sealed class PeerConnection(ConnectionContext connection, TimeSpan drainTimeout, TimeProvider timeProvider, ILogger logger, ConnectionScope scope) : IDisposable
{
    private readonly CancellationTokenSource _overdue = new(Timeout.InfiniteTimeSpan, timeProvider);

    private bool _isToClose; // Interlocked

    public EndPoint? RemoteEndPoint { get; } = connection.RemoteEndPoint;

    // Read at once: when the connection has ended its feature cannot tell any more.
    public X509Certificate2? ClientCertificate { get; } = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;

    public bool IsEncrypted { get; } = connection.Features.Get<ITlsConnectionFeature>() is not null;

    /// <summary>The scope of what is logged of it.</summary>
    public ConnectionScope Scope { get; } = scope;

    /// <summary>Logs in that scope.</summary>
    public ILogger Logger { get; } = new ConnectionLogger(logger, scope);

    /// <summary>Cancelled when the connection was to close, and has had its time.</summary>
    public CancellationToken Overdue => _overdue.Token;

    /// <summary>Closes it in good order: what runs may end, within the time that it has.</summary>
    public void RequestClose()
    {
        try
        {
            if (!Interlocked.Exchange(ref _isToClose, true))
            {
                _overdue.CancelAfter(drainTimeout);
            }
        }
        catch (ObjectDisposedException)
        {
            return; // It has ended meanwhile.
        }

        connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(Logger, connection.ConnectionId);
    }

    public void Dispose() => _overdue.Dispose();
}
