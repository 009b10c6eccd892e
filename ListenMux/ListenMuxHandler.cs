using Microsoft.AspNetCore.Connections;

namespace ListenMux;

/// <summary>
/// Takes a connection that began with a registered magic. The 11 bytes have been read; what follows them is unread.
/// </summary>
/// <param name="connection">The connection. The handler may replace its transport.</param>
/// <param name="next">
/// The rest of the endpoint's pipeline. A handler that calls it passes the connection on; one that does not keeps the
/// connection for itself.
/// </param>
/// <returns>A task that ends when the connection has been served; the connection is closed then.</returns>
public delegate Task ListenMuxHandler(ConnectionContext connection, ConnectionDelegate next);
