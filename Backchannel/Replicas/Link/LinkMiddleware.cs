using System.Buffers;
using System.Buffers.Binary;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yamux;

namespace Backchannel;

/// <summary>Serves the links of other replicas: each stream is for one agent that is attached here, and is passed on to it, and never any further.</summary>
internal sealed class LinkMiddleware(
    PeerNames names,
    ReplicaMembership membership,
    PeerRegistrar registrar,
    ReplicaMetrics metrics,
    IOptions<BackchannelReplicaOptions> options,
    IOptions<BackchannelServerOptions> server,
    ILoggerFactory loggers)
{
    private readonly BackchannelReplicaOptions _options = options.Value;
    private readonly TimeProvider _timeProvider = server.Value.Yamux.TimeProvider;
    private readonly ILogger _logger = loggers.CreateLogger("Backchannel.Replicas");
    private readonly LinkTeller _teller = new(names);
    private readonly ILogger _sessionLogger = loggers.CreateLogger("Yamux");

    /// <summary>Whether an endpoint takes links.</summary>
    public bool HasEndpoint { get; set; }

    /// <summary>Whoever does not begin with the magic.</summary>
    public Task OnStrangerAsync(ConnectionContext connection)
    {
        ReplicaLog.LinkRefused(_logger, connection.RemoteEndPoint, "it is no replica's: the endpoint is for links alone");
        connection.Abort(new ConnectionAbortedException("The endpoint is for links alone."));
        return Task.CompletedTask;
    }

    public async Task OnConnectionAsync(ConnectionContext connection, bool hasTls)
    {
        if (hasTls && connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is null)
        {
            ReplicaLog.LinkRefused(
                _logger, connection.RemoteEndPoint, "it has shown no certificate: replicas show theirs (BackchannelReplicaOptions.ConfigureTls), and the endpoint requires one (UseHttps with ClientCertificateMode.RequireCertificate)");
            connection.Abort(new ConnectionAbortedException("The connection has shown no certificate."));
            return;
        }

        var scope = new ConnectionScope(connection.ConnectionId) { Replica = membership.Id };
        var session = YamuxSession.Create(new ConnectionTransport(connection), YamuxRole.Server, _options.Yamux, new ConnectionLogger(_sessionLogger, scope));
        await using (session.ConfigureAwait(false))
        {
            var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
            var served = ServeAsync(session, connection);
            Task ended = Task.WhenAny(served, session.Completion);
            await ended.WaitAsync(closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!session.Completion.IsCompleted)
            {
                await LeaveAsync(session).ConfigureAwait(false);
            }

            await served.ConfigureAwait(false); // It ends with the session.
        }
    }

    // The other replica asks for nothing more here, and what runs goes on: until Kestrel's time is over, which aborts the connection.
    private static async Task LeaveAsync(YamuxSession session)
    {
        try
        {
            await session.GoAwayAsync().ConfigureAwait(false);
            await session.WaitForInboundStreamsToEndAsync().ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
        }
        catch (YamuxException)
        {
            // It has ended, which its log tells.
        }
    }

    private async Task ServeAsync(YamuxSession session, ConnectionContext connection)
    {
        var running = new StreamCount();
        while (await session.AcceptUntilEndAsync().ConfigureAwait(false) is { } stream)
        {
            running.Begin();
            _ = ServeAsync(stream, connection, running); // It throws nothing, and counts itself out.
        }

        await running.WhenEndedAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(YamuxStream stream, ConnectionContext connection, StreamCount running)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        LinkHeader? header = null;
        try
        {
            header = await ReadHeaderAsync(stream, connection).ConfigureAwait(false);
            if (header is not null)
            {
                await (header.Kind == LinkKind.Call ? ForwardAsync(stream, header) : TellAsync(stream, header, connection)).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is YamuxException or OperationCanceledException or ObjectDisposedException)
        {
            stream.Abort(); // Its other end has gone, or this took too long.
        }
        catch (Exception failure)
        {
            ReplicaLog.ForwardingFailed(_logger, header?.Caller ?? "", header?.Name ?? "", failure);
            stream.Abort();
        }
        finally
        {
            running.End();
        }
    }

    // Null: it is none, and has been told of.
    private async ValueTask<LinkHeader?> ReadHeaderAsync(YamuxStream stream, ConnectionContext connection)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _timeProvider);
        var input = stream.Input;
        var read = await input.ReadAtLeastAsync(LinkHeader.PrefixLength, timeout.Token).ConfigureAwait(false);
        if (read.Buffer.Length < LinkHeader.PrefixLength)
        {
            return Refuse("it ended within its header");
        }

        var (version, length) = ReadPrefix(read.Buffer);
        input.AdvanceTo(read.Buffer.GetPosition(LinkHeader.PrefixLength));
        if (version != LinkHeader.Version)
        {
            await AnswerAsync(stream, LinkAnswer.UnknownVersion).ConfigureAwait(false);
            return Refuse(FormattableString.Invariant($"its header has version {version}, and this replica speaks {LinkHeader.Version}: a replica is newer than this one, and was to speak {LinkHeader.Version} until all are"), isAnswered: true);
        }

        if (length > LinkHeader.MaxLength)
        {
            return Refuse(FormattableString.Invariant($"its header has {length} bytes; {LinkHeader.MaxLength} are the most"));
        }

        read = await input.ReadAtLeastAsync(length, timeout.Token).ConfigureAwait(false);
        if (read.Buffer.Length < length)
        {
            return Refuse("it ended within its header");
        }

        var isRead = LinkHeader.TryRead(read.Buffer.Slice(0, length).ToArray(), out var header);
        input.AdvanceTo(read.Buffer.GetPosition(length));
        return isRead ? header : Refuse("its header cannot be read");

        LinkHeader? Refuse(string reason, bool isAnswered = false)
        {
            ReplicaLog.StreamRefused(_logger, connection.RemoteEndPoint, reason);
            if (!isAnswered)
            {
                stream.Abort();
            }

            return null;
        }
    }

    private static (byte Version, int Length) ReadPrefix(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[LinkHeader.PrefixLength];
        buffer.Slice(0, LinkHeader.PrefixLength).CopyTo(prefix);
        return (prefix[0], BinaryPrimitives.ReadUInt16BigEndian(prefix[1..]));
    }

    private async Task ForwardAsync(YamuxStream stream, LinkHeader header)
    {
        BackchannelPeer? peer = null;
        var answer = Judge(header, ref peer);
        ReplicaLog.Answered(_logger, header.Caller, header.Name, answer);
        if (peer is null)
        {
            await AnswerAsync(stream, answer).ConfigureAwait(false);
            return;
        }

        metrics.ForwardBegan();
        try
        {
            if (await OpenAsync(peer).ConfigureAwait(false) is { } further)
            {
                await stream.WriteAsync(new[] { (byte)answer }).ConfigureAwait(false);
                await Splice.RunAsync(stream, further, metrics.Passed).ConfigureAwait(false);
            }
            else
            {
                await AnswerAsync(stream, LinkAnswer.Draining).ConfigureAwait(false);
            }
        }
        finally
        {
            metrics.ForwardEnded();
            peer.EndForward();
        }
    }

    // Also where the lease has lapsed: who is attached here is.
    private async Task TellAsync(YamuxStream stream, LinkHeader header, ConnectionContext connection)
    {
        if (header.Replica != membership.Id)
        {
            await AnswerAsync(stream, LinkAnswer.OtherReplica).ConfigureAwait(false);
            return;
        }

        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stream.Closed, closing);
        await stream.WriteAsync(new[] { (byte)LinkAnswer.Here }, over.Token).ConfigureAwait(false);
        await (header.Kind == LinkKind.List ? _teller.ListAsync(stream, header, over.Token) : _teller.WatchAsync(stream, over.Token)).ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    // With a peer its forward has begun.
    private LinkAnswer Judge(LinkHeader header, ref BackchannelPeer? peer)
    {
        if (header.Replica != membership.Id)
        {
            return LinkAnswer.OtherReplica;
        }

        if (membership.IsFenced)
        {
            return LinkAnswer.Fenced;
        }

        if (names.Find(header.Name, header.Attachment) is not { } present)
        {
            if (header.Attachment != 0)
            {
                registrar.Forget(header.Name, header.Attachment);
            }

            return LinkAnswer.NotHere;
        }

        if (!present.Peer.TryBeginForward(_options.MaxForwardedStreamsPerPeer, out var isFull))
        {
            return isFull ? LinkAnswer.TooMany : LinkAnswer.Draining;
        }

        peer = present.Peer;
        return peer.IsEncrypted ? LinkAnswer.HereEncrypted : LinkAnswer.Here;
    }

    // Null: the agent takes none. That it has taken it is waited for, or the caller could not know whether a call that was on its way has reached it.
    private async ValueTask<YamuxStream?> OpenAsync(BackchannelPeer peer)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _timeProvider);
        YamuxStream? stream = null;
        try
        {
            stream = await peer.Session.OpenStreamAsync(timeout.Token).ConfigureAwait(false);
            await stream.Acknowledged.WaitAsync(timeout.Token).ConfigureAwait(false);
            return stream;
        }
        catch (Exception failure) when (failure is YamuxException or ObjectDisposedException or OperationCanceledException)
        {
            stream?.Abort();
            return null;
        }
    }

    private static async ValueTask AnswerAsync(YamuxStream stream, LinkAnswer answer)
    {
        await stream.WriteAsync(new[] { (byte)answer }, completeWrites: true).ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
    }
}
