using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>Asks <see cref="BackchannelServerOptions.OnConnecting"/> whether a connection may become a peer.</summary>
internal sealed class Admission(BackchannelServerOptions options, ILogger logger)
{
    /// <summary>Whether it may; if not, the log says why. Throws nothing.</summary>
    /// <param name="connection">The connection, of which the magic has been read.</param>
    /// <param name="closing">The server stops.</param>
    public async ValueTask<bool> LetsInAsync(ConnectionContext connection, CancellationToken closing)
    {
        if (options.OnConnecting is not { } hook)
        {
            return true;
        }

        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.Yamux.TimeProvider);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, closing);
        var context = new BackchannelConnectingContext(connection, giveUp.Token);
        try
        {
            await hook(context).AsTask().WaitAsync(giveUp.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            BackchannelLog.OnConnectingFailed(logger, connection.ConnectionId, connection.RemoteEndPoint, failure);
            return false;
        }

        if (context.RefusalReason is { } reason)
        {
            BackchannelLog.ConnectionRefused(logger, connection.ConnectionId, connection.RemoteEndPoint, reason);
            return false;
        }

        return true;
    }
}
