using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Backchannel;

/// <summary>A multiplexed connection that is about to become a peer, for <see cref="BackchannelServerOptions.OnConnecting"/>.</summary>
public sealed class BackchannelConnectingContext
{
    private readonly ConnectionContext _connection;

    internal BackchannelConnectingContext(ConnectionContext connection, CancellationToken cancellationToken)
    {
        _connection = connection;
        CancellationToken = cancellationToken;
    }

    /// <summary>Kestrel's name of the connection, which its log has too.</summary>
    public string ConnectionId => _connection.ConnectionId;

    /// <summary>What is known of the connection: TLS (<see cref="ITlsHandshakeFeature"/>), the socket, and what middleware before this has set.</summary>
    public IFeatureCollection Features => _connection.Features;

    /// <summary>The certificate that the client has shown (mutual TLS), or null.</summary>
    public X509Certificate2? ClientCertificate => Features.Get<ITlsConnectionFeature>()?.ClientCertificate;

    /// <summary>The client's address, or null on transports that have none.</summary>
    public EndPoint? RemoteEndPoint => _connection.RemoteEndPoint;

    /// <summary>The address that the client has connected to, or null on transports that have none.</summary>
    public EndPoint? LocalEndPoint => _connection.LocalEndPoint;

    /// <summary>Cancelled when <see cref="BackchannelServerOptions.HandshakeTimeout"/> is over, the client has gone, or the server stops.</summary>
    public CancellationToken CancellationToken { get; }

    internal string? RefusalReason { get; private set; }

    /// <summary>Does not let the connection in. It is closed when the hook returns.</summary>
    /// <param name="reason">Why, for the log of the server. The client is not told.</param>
    /// <exception cref="ArgumentException">The reason is null or empty.</exception>
    public void Refuse(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        RefusalReason ??= reason;
    }
}
