using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>
/// Serves the streams of a client: the first and, up to a limit, others that are HTTP/2 connections too, and what middleware makes of further ones.
/// </summary>
/// <param name="peer">The client.</param>
/// <param name="connection">The connection that they are in, of which all that is known is known of them too.</param>
/// <param name="serve">Middleware in front of the further ones' HTTP/2; it ends in <see cref="ServeHttpAsync"/>.</param>
/// <param name="next">Serves HTTP/2.</param>
/// <param name="options">How many HTTP/2 connections there may be, with the first, and how long one may take to say that it is one.</param>
/// <param name="logger">Told of what fails.</param>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer has nothing to release.")]
internal sealed class InboundStreams(
    BackchannelPeer peer, ConnectionContext connection, ConnectionDelegate serve, ConnectionDelegate next, BackchannelServerOptions options, ILogger logger)
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0"u8;

    private readonly Lock _gate = new();
    private readonly IConnectionLifetimeNotificationFeature? _lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _unneeded = new();
    private int _places = 1; // Taken, of those for HTTP/2: by the first, and those that may be one.
    private int _served = 1; // HTTP/2 connections.
    private int _running = 1; // The acceptance itself.

    /// <summary>
    /// Whether the client has no stream, accepted or not. One whose HTTP/2 has ended counts until the client has closed it as well: by then the client has
    /// opened whatever it goes on with.
    /// </summary>
    public bool IsIdle => peer.Session.InboundStreamCount == 0;

    /// <summary>Accepts and serves the further streams, until the session has ended and all of them are served.</summary>
    public async Task RunAsync()
    {
        peer.CallsEnded += OnCallsEnded;
        while (await peer.Session.AcceptUntilEndAsync().ConfigureAwait(false) is { } stream)
        {
            Interlocked.Increment(ref _running);
            _ = ServeAsync(stream); // It throws nothing, and counts itself out.
        }

        CountOut();
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Serves the first stream, an HTTP/2 connection on which nothing needs to be found out, and under the connection's own name.</summary>
    public async Task ServeFirstAsync(YamuxStream stream)
    {
        var first = new YamuxStreamConnectionContext(stream, connection) { ConnectionId = connection.ConnectionId };
        await using (first.ConfigureAwait(false))
        {
            await next(first).ConfigureAwait(false);
        }

        OnServed();
        LeavePlace();
    }

    /// <summary>Where the middleware of a further stream ends: it is an HTTP/2 connection.</summary>
    public static Task ServeHttpAsync(ConnectionContext further)
        => further.Features.Get<InboundStreams>()!.ServeFurtherHttpAsync(further);

    private async Task ServeFurtherHttpAsync(ConnectionContext further)
    {
        if (!TryTakePlace())
        {
            BackchannelLog.HttpConnectionRefused(logger, further.ConnectionId, options.MaxHttpConnectionsPerPeer);
            further.Abort();
            return;
        }

        try
        {
            if (await SpeaksHttp2Async(further.Transport.Input).ConfigureAwait(false))
            {
                await ServeKnownHttpAsync(further).ConfigureAwait(false);
            }
            else if (_unneeded.IsCancellationRequested)
            {
                // One that is on its way, and comes too late, goes elsewhere.
                await further.Transport.Output.WriteAsync(Http2Refusal.Create([], "")).ConfigureAwait(false);
            }
            else
            {
                further.Abort();
            }
        }
        finally
        {
            LeavePlace();
        }
    }

    private async Task ServeKnownHttpAsync(ConnectionContext further)
    {
        further.Features.Set(_lifetime); // Kestrel sends GOAWAY when the connection is asked to close.
        lock (_gate)
        {
            _served++;
        }

        try
        {
            await next(further).ConfigureAwait(false);
        }
        finally
        {
            OnServed();
        }
    }

    private bool TryTakePlace()
    {
        lock (_gate)
        {
            if (_places == options.MaxHttpConnectionsPerPeer)
            {
                return false;
            }

            _places++;
            return true;
        }
    }

    // Kestrel waits for the rest of what is shorter than a preface. A stream for middleware that is not there is better told at once.
    private async ValueTask<bool> SpeaksHttp2Async(PipeReader input)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.Yamux.TimeProvider);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _unneeded.Token);
        try
        {
            var read = await input.ReadAtLeastAsync(Preface.Length, giveUp.Token).ConfigureAwait(false);
            var begins = StartsWithPreface(read.Buffer);
            input.AdvanceTo(read.Buffer.Start); // Examined nothing: the next reader gets the bytes at once.
            return begins;
        }
        catch (Exception failure) when (failure is YamuxException or OperationCanceledException)
        {
            return false;
        }
    }

    private static bool StartsWithPreface(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> beginning = stackalloc byte[Preface.Length];
        return bytes.Length >= beginning.Length && Copy(bytes, beginning).SequenceEqual(Preface);

        static Span<byte> Copy(in ReadOnlySequence<byte> from, Span<byte> to)
        {
            from.Slice(0, to.Length).CopyTo(to);
            return to;
        }
    }

    private void LeavePlace()
    {
        lock (_gate)
        {
            _places--;
        }
    }

    private void OnServed()
    {
        lock (_gate)
        {
            _served--;
        }

        OnCallsEnded();
    }

    // In either direction, if the peer drains and no HTTP/2 connection of its is served. No other stream can belong to one then.
    private void OnCallsEnded()
    {
        lock (_gate)
        {
            if (_served == 0 && peer.Drained.IsCompleted)
            {
                _ = _unneeded.CancelAsync(logger, connection.ConnectionId); // Elsewhere: who gave back the last call has locks of its own. Nobody waits for what middleware does then.
            }
        }
    }

    private async Task ServeAsync(YamuxStream stream)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var further = new YamuxStreamConnectionContext(stream, connection);
        further.Features.Set(this);
        further.Features.Set<IConnectionLifetimeNotificationFeature>(new StreamLifetime(_lifetime, _unneeded.Token));
        try
        {
            await serve(further).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            BackchannelLog.StreamFailed(logger, further.ConnectionId, failure);
            further.Abort();
        }

        await further.DisposeAsync().ConfigureAwait(false);
        CountOut();
    }

    private void CountOut()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _ended.SetResult();
        }
    }
}
