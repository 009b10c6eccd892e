using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace ListenMux;

/// <summary>Reads exactly 11 bytes of each connection, and decides who serves it.</summary>
internal sealed class ListenMuxMiddleware(ListenMuxBuilder mux, ConnectionDelegate next, ILogger logger)
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var (passOn, handler) = await PeekAsync(connection).ConfigureAwait(false);
        if (passOn)
        {
            await next(connection).ConfigureAwait(false);
        }
        else if (handler is not null)
        {
            await HandleAsync(connection, handler).ConfigureAwait(false);
        }
    }

    // Neither: the connection is over.
    private async ValueTask<(bool PassOn, ListenMuxHandler? Handler)> PeekAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var timeout = new CancellationTokenSource(mux.HandshakeTimeout, mux.TimeProvider);

        // A server that shuts down must not wait for a connection that has sent nothing.
        var shutdown = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;

        // Not when ConnectionClosed fires: that is when the client closes its side, and what it sent before is still to be read.
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, shutdown);
        ReadResult read;
        try
        {
            read = await input.ReadAtLeastAsync(ListenMuxBuilder.MagicLength, giveUp.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (timeout.IsCancellationRequested)
            {
                ListenMuxLog.HandshakeTimedOut(logger, connection.ConnectionId, ListenMuxBuilder.MagicLength, mux.HandshakeTimeout);
                connection.Abort(new ConnectionAbortedException($"The connection did not send {ListenMuxBuilder.MagicLength} bytes within {mux.HandshakeTimeout}."));
            }

            return default;
        }
        catch (IOException error)
        {
            // How Kestrel tells that a client has gone.
            ListenMuxLog.ConnectionLost(logger, connection.ConnectionId, error);
            return default;
        }

        var buffer = read.Buffer;
        if (buffer.Length < ListenMuxBuilder.MagicLength)
        {
            input.AdvanceTo(buffer.End);
            return default;
        }

        var magic = buffer.Slice(0, ListenMuxBuilder.MagicLength);
        if (!TryGetHandler(magic, out var handler))
        {
            // Examined nothing: the next reader gets the bytes at once.
            input.AdvanceTo(buffer.Start, buffer.Start);
            return (true, null);
        }

        input.AdvanceTo(magic.End);
        return (false, handler);
    }

    private bool TryGetHandler(ReadOnlySequence<byte> magic, out ListenMuxHandler? handler)
    {
        Span<byte> bytes = stackalloc byte[ListenMuxBuilder.MagicLength];
        magic.CopyTo(bytes);
        return mux.TryGetHandler(bytes, out handler);
    }

    private async Task HandleAsync(ConnectionContext connection, ListenMuxHandler handler)
    {
        try
        {
            await handler(connection, next).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            ListenMuxLog.HandlerFailed(logger, connection.ConnectionId, error);
            connection.Abort(new ConnectionAbortedException("The handler of the connection failed.", error));
        }
    }
}
