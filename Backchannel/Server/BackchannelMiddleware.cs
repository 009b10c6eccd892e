using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// Serves a multiplexed connection: a yamux session over the transport, the client's HTTP/2 connections in streams of it, of each of which all that is known
/// of the connection is known too.
/// </summary>
internal sealed class BackchannelMiddleware(
    BackchannelRegistry registry, BackchannelServerOptions options, ConnectionDelegate serveStream, PeerInterceptors interceptors, ServerMetrics metrics, string? replica, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Server");
    private readonly ILogger _sessionLogger = loggers.CreateLogger("Yamux");
    private readonly PeerChannels _channels = new(options, interceptors, metrics, replica);
    private readonly Admission _admission = new(options, loggers.CreateLogger("Backchannel.Server"));

    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // Cancelled when the server stops, or somebody asks for this connection to close.
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        if (!await _admission.LetsInAsync(connection, closing).ConfigureAwait(false))
        {
            connection.Abort(new ConnectionAbortedException("The connection was refused."));
            return;
        }

        var scope = new ConnectionScope(connection.ConnectionId) { Replica = replica };
        using var known = new PeerConnection(connection, options.DrainTimeout, options.Yamux.TimeProvider, _logger, scope);
        var session = YamuxSession.Create(new ConnectionTransport(connection), YamuxRole.Server, options.Yamux, new ConnectionLogger(_sessionLogger, scope));
        var others = Task.CompletedTask;
        try
        {
            await using (session.ConfigureAwait(false))
            {
                if (await AcceptAsync(connection, known, session, closing).ConfigureAwait(false) is { } first)
                {
                    var peer = Register(connection, known, session);
                    var streams = new InboundStreams(peer, connection, serveStream, next, options, known.Logger);
                    others = streams.RunAsync();
                    await ServeAsync(connection, known, peer, first, streams, closing).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await others.ConfigureAwait(false); // They end with the session.
        }
    }

    // The first stream that the client opens. Null: it has gone, or took too long.
    private async ValueTask<YamuxStream?> AcceptAsync(ConnectionContext connection, PeerConnection known, YamuxSession session, CancellationToken closing)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.Yamux.TimeProvider);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, closing);
        try
        {
            return await session.AcceptUntilEndAsync(cancellationToken: giveUp.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (timeout.IsCancellationRequested)
            {
                BackchannelLog.HandshakeTimedOut(known.Logger, connection.ConnectionId, options.HandshakeTimeout);
            }

            return null;
        }
    }

    private BackchannelPeer Register(ConnectionContext connection, PeerConnection known, YamuxSession session)
    {
        var peer = new BackchannelPeer(registry.NextId(), session, known, options, _channels);
        known.Scope.Peer = peer;
        connection.Features.Set<IBackchannelPeerFeature>(new BackchannelPeerFeature(peer));
        connection.Features.Set<IConnectionHeartbeatFeature>(SilentHeartbeat.Instance);
        registry.Add(peer);
        BackchannelLog.PeerConnected(known.Logger, peer.Id, connection.ConnectionId);
        var began = metrics.Now;
        metrics.ConnectionBegan();

        // Kestrel returns when all requests of the connection have ended, which may be long after the client has gone.
        _ = session.Completion.ContinueWith(
            _ =>
            {
                registry.Remove(peer);
                peer.OnDisconnected(known.Logger, connection.ConnectionId); // Before whoever listens to the meter, who may throw.
                metrics.ConnectionEnded(began, peer.HasFailed);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return peer;
    }

    // Ends when neither end has anything to say to the other any more, or the session has ended.
    private async Task ServeAsync(
        ConnectionContext connection, PeerConnection known, BackchannelPeer peer, YamuxStream first, InboundStreams streams, CancellationToken closing)
    {
        try
        {
            await using (closing.UnsafeRegister(_ => Drain(peer, known, "the server closes the connection"), null).ConfigureAwait(false))
            await using (known.Overdue.UnsafeRegister(_ => peer.Session.Abort(new TimeoutException($"The connection was to close, and calls ran for longer than {options.DrainTimeout}.")), null).ConfigureAwait(false))
            {
                await streams.ServeFirstAsync(first).ConfigureAwait(false);
                await peer.Session.WaitForInboundStreamsToEndAsync(CancellationToken.None).ConfigureAwait(false);

                // A server that stops ends the connection itself when its own time is over.
                var limit = closing.IsCancellationRequested ? Timeout.InfiniteTimeSpan : options.DrainTimeout;
                Drain(peer, known, peer.Completion.IsCompleted ? "its connection has ended" : "the client has closed its connection");

                // An HTTP/2 connection that was on its way is told to go elsewhere: what it is part of ends, and can not be called any more.
                connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(known.Logger, connection.ConnectionId);
                await DrainedAsync(peer, streams, limit).ConfigureAwait(false);
            }
        }
        finally
        {
            registry.Remove(peer);
            BackchannelLog.PeerDisconnected(known.Logger, peer.Id, connection.ConnectionId);
        }
    }

    private void Drain(BackchannelPeer peer, PeerConnection known, string reason)
    {
        if (peer.Drain(reason))
        {
            registry.Remove(peer);
            BackchannelLog.PeerDraining(known.Logger, peer.Id, reason);
        }
    }

    // No call to the client runs, and none of its streams is served: one may still come for a call to it, and even an HTTP/2 connection.
    private async Task DrainedAsync(BackchannelPeer peer, InboundStreams streams, TimeSpan drain)
    {
        using var limit = new CancellationTokenSource(drain, options.Yamux.TimeProvider);
        do
        {
            Task either = Task.WhenAny(Task.WhenAll(peer.Drained, peer.Session.WaitForInboundStreamsToEndAsync()), peer.Completion);
            await either.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!streams.IsIdle && !peer.Completion.IsCompleted && !limit.IsCancellationRequested);
    }
}
