using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
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
internal sealed class InboundStreams(
    BackchannelPeer peer, ConnectionContext connection, ConnectionDelegate serve, ConnectionDelegate next, BackchannelServerOptions options, ILogger logger)
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0"u8;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _allServed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _http = 1; // The first.
    private int _open = 1; // It, and all that were accepted and are not served yet, of which nobody knows at first what they are.
    private int _running = 1; // The acceptance itself.

    /// <summary>Completes when no stream of the client's is served any more. None is accepted then.</summary>
    public Task Ended => _allServed.Task;

    /// <summary>Accepts and serves the further streams, until the session has ended and all of them are served.</summary>
    public async Task RunAsync()
    {
        await foreach (var stream in peer.Session.AcceptStreamsAsync().ConfigureAwait(false))
        {
            if (!TryCountOpen())
            {
                stream.Abort();
                continue;
            }

            Interlocked.Increment(ref _running);
            _ = ServeAsync(stream); // It throws nothing, and counts itself out.
        }

        CountOut();
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>The first HTTP/2 connection has ended.</summary>
    public void OnFirstEnded()
    {
        OnHttpEnded();
        CountOpenOut();
    }

    /// <summary>Where the middleware of a further stream ends: it is an HTTP/2 connection.</summary>
    public static Task ServeHttpAsync(ConnectionContext further)
        => further.Features.Get<InboundStreams>()!.ServeFurtherHttpAsync(further);

    private async Task ServeFurtherHttpAsync(ConnectionContext further)
    {
        if (!TryCountHttp())
        {
            BackchannelLog.HttpConnectionRefused(logger, further.ConnectionId, options.MaxHttpConnectionsPerPeer);
            further.Abort();
            return;
        }

        try
        {
            if (await SpeaksHttp2Async(further.Transport.Input).ConfigureAwait(false))
            {
                await next(further).ConfigureAwait(false);
            }
            else
            {
                further.Abort();
            }
        }
        finally
        {
            OnHttpEnded();
        }
    }

    private bool TryCountHttp()
    {
        lock (_gate)
        {
            if (_http == options.MaxHttpConnectionsPerPeer)
            {
                return false;
            }

            _http++;
            return true;
        }
    }

    // Kestrel waits for the rest of what is shorter than a preface. A stream for middleware that is not there is better told at once.
    private async ValueTask<bool> SpeaksHttp2Async(PipeReader input)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.Yamux.TimeProvider);
        try
        {
            var read = await input.ReadAtLeastAsync(Preface.Length, timeout.Token).ConfigureAwait(false);
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

    private void OnHttpEnded()
    {
        lock (_gate)
        {
            _http--;
        }
    }

    private bool TryCountOpen()
    {
        lock (_gate)
        {
            _open += _open == 0 ? 0 : 1;
            return _open > 0;
        }
    }

    private void CountOpenOut()
    {
        bool last;
        lock (_gate)
        {
            last = --_open == 0;
        }

        if (last)
        {
            _allServed.SetResult();
        }
    }

    private async Task ServeAsync(YamuxStream stream)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var further = new YamuxStreamConnectionContext(stream, connection);
        further.Features.Set(this);
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
        CountOpenOut();
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
