using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Backchannel;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Yamux;

namespace Sidechannel;

/// <summary>
/// The sidechannels that a caller of RPCs offers to their handlers. One for any number of connections and calls: give it to the options of the
/// <see cref="BackchannelHost"/> (or of the server, if it is the server that calls) with
/// <see cref="SidechannelOptionsExtensions.UseSidechannels(BackchannelHostOptions, SidechannelRegistry)"/>.
/// </summary>
/// <remarks>
/// An id is random, and good once: nobody finds it by guessing, but whoever has seen the metadata of the call knows it. A registry that a server has must
/// therefore be told the session of the client that is called, and no other can open the sidechannel: without one, registering throws. A client knows no session; if it
/// calls servers which do not trust each other, a server that hands the id on to another lets that one in.
/// </remarks>
public sealed class SidechannelRegistry
{
    private readonly ConcurrentDictionary<long, SidechannelWaiter> _waiting = new();
    private readonly ILogger _logger;
    private volatile bool _needsSession;

    /// <summary>Creates a registry.</summary>
    /// <param name="logger">Told of sidechannels that nobody waits for, and of what fails in the cancellation of a callback; null for no log.</param>
    public SidechannelRegistry(ILogger<SidechannelRegistry>? logger = null)
    {
        _logger = logger ?? NullLogger<SidechannelRegistry>.Instance;
    }

    /// <summary>How many sidechannels wait for the handlers of their calls to open them.</summary>
    public int Count => _waiting.Count;

    /// <summary>
    /// Makes a call with a sidechannel, in one line:
    /// <code>var reply = await sidechannels.CallAsync(headers => client.FetchAsync(request, headers), (channel, ct) => channel.CopyToAsync(file, ct));</code>
    /// </summary>
    /// <remarks>
    /// Returns when both the call and the callback have ended. A callback that runs when the call ends is waited for: what the handler sent before is still to
    /// be read; only writes fail then, since nobody reads them. If the call fails, that failure is thrown, unless the callback had failed before with an
    /// exception of its own. If the call is cancelled or its deadline passes, the callback's token is cancelled; if it fails otherwise it is not.
    /// </remarks>
    /// <param name="call">Makes the call, with these headers; more may be added.</param>
    /// <param name="callback">Runs when the call's handler opens the sidechannel.</param>
    /// <param name="cancellationToken">Given to the callback. The call has its own, which the same token can be.</param>
    /// <returns>What the call returned.</returns>
    /// <exception cref="SidechannelException">
    /// The call succeeded, and its handler has not opened the sidechannel, or the callback was still writing when it ended. That the handler has not read what is in the
    /// windows, or has disposed of its end before, is no failure: how much it has read, its reply may say.
    /// </exception>
    /// <exception cref="RpcException">The call failed, and not because the callback had.</exception>
    /// <exception cref="InvalidOperationException">The registry is a server's, and no session was named. Nothing was sent.</exception>
    public Task<TResponse> CallAsync<TResponse>(
        Func<Metadata, AsyncUnaryCall<TResponse>> call, SidechannelCallback callback, CancellationToken cancellationToken = default)
        => CallAsync(call, callback, null, cancellationToken);

    /// <inheritdoc cref="CallAsync{TResponse}(Func{Metadata, AsyncUnaryCall{TResponse}}, SidechannelCallback, CancellationToken)"/>
    /// <param name="call">Makes the call, with these headers; more may be added.</param>
    /// <param name="callback">Runs when the call's handler opens the sidechannel.</param>
    /// <param name="session">
    /// The session that alone may open it: <see cref="BackchannelPeer.Session"/> of the client that a server calls. Null: any that knows the id, for the calls of a client.
    /// </param>
    /// <param name="cancellationToken">Given to the callback. The call has its own, which the same token can be.</param>
    public async Task<TResponse> CallAsync<TResponse>(
        Func<Metadata, AsyncUnaryCall<TResponse>> call, SidechannelCallback callback, YamuxSession? session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        var waiter = Register(callback, session, cancellationToken);
        await using (waiter.ConfigureAwait(false))
        {
            TResponse response;
            try
            {
                using var running = call(waiter.Metadata);
                response = await running.ResponseAsync.ConfigureAwait(false);
            }
            catch (Exception failure) when (waiter.Completion is { IsFaulted: true, Exception.InnerException: { } first } && IsOwn(first, failure))
            {
                // The handler failed because the callback did, and cannot say why.
                ExceptionDispatchInfo.Throw(first);
                throw;
            }
            catch (Exception failure) when (SidechannelWaiter.IsGivenUp(failure))
            {
                waiter.Cancel();
                throw;
            }

            await waiter.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            return response;
        }
    }

    /// <summary>Offers a sidechannel for one call, which must carry <see cref="SidechannelWaiter.Metadata"/>.</summary>
    /// <param name="callback">Runs when the call's handler opens the sidechannel: once, or never.</param>
    /// <param name="cancellationToken">Given to the callback.</param>
    /// <returns>The registration, which ends when it is waited for or disposed of: do so when the call has ended.</returns>
    /// <exception cref="InvalidOperationException">The registry is a server's, and no session was named.</exception>
    public SidechannelWaiter Register(SidechannelCallback callback, CancellationToken cancellationToken = default) => Register(callback, null, cancellationToken);

    /// <inheritdoc cref="Register(SidechannelCallback, CancellationToken)"/>
    /// <param name="callback">Runs when the call's handler opens the sidechannel: once, or never.</param>
    /// <param name="session">
    /// The session that alone may open it: <see cref="BackchannelPeer.Session"/> of the client that a server calls. Null: any that knows the id, for the calls of a client.
    /// </param>
    /// <param name="cancellationToken">Given to the callback.</param>
    public SidechannelWaiter Register(SidechannelCallback callback, YamuxSession? session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ThrowIfUnnamed(session);
        SidechannelWaiter waiter;
        do
        {
            waiter = new SidechannelWaiter(this, SidechannelId.Create(), callback, session, cancellationToken);
        }
        while (!_waiting.TryAdd(waiter.Id, waiter));

        return waiter;
    }

    /// <summary>
    /// Serves a stream that a handler has opened, on a session without a <see cref="BackchannelHost"/>. A stream that is no sidechannel is aborted. Never fails:
    /// the waiter tells.
    /// </summary>
    /// <param name="stream">The stream, of which nothing has been read. It is closed when the task ends.</param>
    public async Task ServeAsync(YamuxStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (await ReadAsync(stream, Handshake.Magic.Length).ConfigureAwait(false) is not { } magic || !magic.AsSpan().SequenceEqual(Handshake.Magic))
        {
            stream.Abort();
            return;
        }

        await RunAsync(stream).ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>It is a server's, with many clients connected: from now on each sidechannel is for one of them.</summary>
    internal void NeedSession() => _needsSession = true;

    /// <exception cref="InvalidOperationException">It is a server's, and no session is named.</exception>
    internal void ThrowIfUnnamed(YamuxSession? session)
    {
        if (session is null && _needsSession)
        {
            throw new InvalidOperationException(
                "This registry is a server's (BackchannelServerOptions.UseSidechannels): say whose handler may open the sidechannel, with the session of the client that is"
                + " called, as in CallAsync(call, callback, peer.Session). For calls that this process makes as a client, use another registry.");
        }
    }

    /// <summary>What hangs on the token of a callback has failed.</summary>
    internal void OnCancellationFailed(long id, AggregateException failure) => SidechannelLog.CancellationFailed(_logger, id, failure);

    /// <summary>Takes back what nobody has opened. False: it has run, runs, or was taken back before.</summary>
    internal bool TryRemove(long id) => _waiting.TryRemove(id, out _);

    /// <summary>Serves a connection that began with the magic of sidechannels, which has been read. It is closed when the task ends.</summary>
    internal Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var stream = connection.Features.Get<IYamuxStreamFeature>()?.Stream
            ?? throw new InvalidOperationException("A sidechannel needs a yamux stream, and this connection is none.");
        stream.CoalesceWrites = false;
        return RunAsync(stream);
    }

    private async Task RunAsync(YamuxStream stream)
    {
        if (await ReadAsync(stream, Handshake.IdLength).ConfigureAwait(false) is not { } bytes)
        {
            return;
        }

        var id = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (_waiting.TryGetValue(id, out var waiter) && (waiter.Session ?? stream.Session) == stream.Session && _waiting.TryRemove(id, out _))
        {
            await waiter.RunAsync(stream).ConfigureAwait(false);
        }
        else
        {
            SidechannelLog.UnknownId(_logger, id, stream.Id);
        }
    }

    // Not the channel's, which fails because the call does; nor a cancellation if the call was cancelled as well, which says it better.
    private static bool IsOwn(Exception first, Exception failure) => first switch
    {
        YamuxException or SidechannelException => false,
        OperationCanceledException => !SidechannelWaiter.IsGivenUp(failure),
        _ => true,
    };

    // Null: the handler has gone, or takes too long.
    private async ValueTask<byte[]?> ReadAsync(YamuxStream stream, int length)
    {
        using var timeout = new CancellationTokenSource(Handshake.Limit, stream.Session.GetOptions().TimeProvider);
        try
        {
            var bytes = new byte[length];
            await stream.AsStream().ReadExactlyAsync(bytes, timeout.Token).ConfigureAwait(false);
            return bytes;
        }
        catch (Exception failure) when (failure is YamuxException or EndOfStreamException or OperationCanceledException)
        {
            SidechannelLog.HandshakeLost(_logger, failure);
            return null;
        }
    }
}
