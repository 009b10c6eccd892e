using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>yamux over the connections of ASP.NET Core, for a connection middleware that wants no more than that.</summary>
public static class YamuxConnectionExtensions
{
    /// <summary>
    /// Starts a session on <paramref name="connection"/>, whose transport is the session's from now on. A session that fails, or is aborted, aborts the connection.
    /// Its socket, if there is one to be seen, is set as <see cref="YamuxSocketExtensions.ConfigureForYamux"/> says.
    /// </summary>
    /// <remarks>A middleware must not return before the session's <see cref="YamuxSession.Completion"/>, or the connection is closed under it.</remarks>
    /// <param name="connection">The connection, as a connection middleware gets it.</param>
    /// <param name="role">Which end this is; the peer must be the other.</param>
    /// <param name="options">The settings; null means the defaults.</param>
    /// <param name="logger">Where the session reports, each line in a scope with the <c>ConnectionId</c>; null means nowhere.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option or <paramref name="role"/> is out of range.</exception>
    public static YamuxSession CreateYamuxSession(this ConnectionContext connection, YamuxRole role, YamuxOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return YamuxSession.Create(new ConnectionTransport(connection), role, options, logger is null ? null : new ConnectionLogger(logger, new ConnectionScope(connection.ConnectionId)));
    }
}
