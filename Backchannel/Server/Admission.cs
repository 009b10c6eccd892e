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
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, closing, connection.ConnectionClosed);
        var context = new BackchannelConnectingContext(connection, giveUp.Token);
        var asked = AskAsync(hook, context);
        try
        {
            await asked.WaitAsync(giveUp.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (connection.ConnectionClosed.IsCancellationRequested || closing.IsCancellationRequested)
        {
            Abandon(asked, connection); // Nobody waits for an answer, or nobody is let in any more.
            return false;
        }
        catch (Exception failure)
        {
            BackchannelLog.OnConnectingFailed(logger, connection.ConnectionId, connection.RemoteEndPoint, failure);
            Abandon(asked, connection);
            return false;
        }

        if (context.RefusalReason is { } reason)
        {
            BackchannelLog.ConnectionRefused(logger, connection.ConnectionId, connection.RemoteEndPoint, reason);
            return false;
        }

        return true;
    }

    // What it throws at once is a failure like any other.
    private static async Task AskAsync(Func<BackchannelConnectingContext, ValueTask> hook, BackchannelConnectingContext context)
        => await hook(context).ConfigureAwait(false);

    // A hook that does not listen to its token. What becomes of it is told, and changes nothing.
    private void Abandon(Task asked, ConnectionContext connection)
    {
        if (!asked.IsCompleted)
        {
            _ = asked.ContinueWith(
                late => BackchannelLog.OnConnectingFailed(logger, connection.ConnectionId, connection.RemoteEndPoint, late.Exception!.GetBaseException()),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }
}
