using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// Serves a multiplexed connection: a yamux session over the transport, the client's HTTP/2 connection in its first stream,
/// put in the transport's place on the same connection, so that all that is known of the connection stays known.
/// </summary>
internal sealed class BackchannelMiddleware(BackchannelRegistry registry, BackchannelServerOptions options, ConnectionDelegate? serveStream, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Server");
    private readonly ILogger _sessionLogger = loggers.CreateLogger("Yamux");

    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var session = YamuxSession.Create(connection.Transport, YamuxRole.Server, options.Yamux, _sessionLogger);
        var others = Task.CompletedTask;
        try
        {
            await using (session.ConfigureAwait(false))
            {
                if (await AcceptAsync(connection, session).ConfigureAwait(false) is { } stream)
                {
                    var peer = Register(connection, session);
                    others = serveStream is null ? others : new InboundStreams(peer, serveStream, connection.ConnectionId, _logger).RunAsync();
                    await ServeAsync(connection, peer, stream, next).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await others.ConfigureAwait(false); // They end with the session.
        }
    }

    // The one stream that the client opens. Null: it has gone, or took too long.
    private async ValueTask<YamuxStream?> AcceptAsync(ConnectionContext connection, YamuxSession session)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.Yamux.TimeProvider);
        var shutdown = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, shutdown);
        try
        {
            return await session.AcceptStreamAsync(giveUp.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (timeout.IsCancellationRequested)
            {
                BackchannelLog.HandshakeTimedOut(_logger, connection.ConnectionId, options.HandshakeTimeout);
            }

            return null;
        }
    }

    private BackchannelPeer Register(ConnectionContext connection, YamuxSession session)
    {
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var peer = new BackchannelPeer(registry.NextId(), session, connection.RemoteEndPoint, certificate, options);
        registry.Add(peer);

        // Kestrel returns when all requests of the connection have ended, which may be long after the client has gone.
        _ = session.Completion.ContinueWith(
            _ => registry.Remove(peer), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return peer;
    }

    private async Task ServeAsync(ConnectionContext connection, BackchannelPeer peer, YamuxStream stream, ConnectionDelegate next)
    {
        connection.Features.Set<IBackchannelPeerFeature>(new BackchannelPeerFeature(peer));
        connection.Features.Set<IYamuxStreamFeature>(new YamuxStreamFeature(stream));
        var transport = connection.Transport;
        connection.Transport = new KestrelStreamPipe(stream);
        BackchannelLog.PeerConnected(_logger, peer.Id, connection.ConnectionId);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = transport;
            registry.Remove(peer);
            BackchannelLog.PeerDisconnected(_logger, peer.Id, connection.ConnectionId);
        }
    }
}
