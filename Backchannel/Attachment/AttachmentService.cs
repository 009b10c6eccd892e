using Backchannel.V1;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yamux;

namespace Backchannel;

/// <summary>The server's end of Attach: gives the agent its name, and holds the call for as long as it is attached.</summary>
internal sealed class AttachmentService(
    PeerNames names,
    PeersDrain drain,
    IOtherReplicas others,
    IBackchannelPeerNameProvider nameProvider,
    IOptions<BackchannelServerOptions> options,
    ServerMetrics metrics,
    ILoggerFactory _loggers)
    : Attachment.AttachmentBase
{
    private const string NoName =
        "the server has no name for this agent. There are two ways to one. The agent authenticates: by a user with a NameIdentifier claim (AddAuthentication, and RequireAuthorization() on"
        + " MapBackchannel()) or by a client certificate with a common name (UseHttps(https => https.ClientCertificateMode = ClientCertificateMode.RequireCertificate)). Or the server"
        + " trusts the names that its clients ask for (AddBackchannel(options => options.TrustNamesOfClients = true))";

    private const string NoNameAskedFor =
        "the server trusts the names that its clients ask for (TrustNamesOfClients), and this agent asks for none: set Backchannel:Agent:Name in its configuration"
        + " (BackchannelAgentOptions.Name), or AttachRequest.name. The server has found no other name for it";

    private readonly ILogger _logger = _loggers.CreateLogger("Backchannel.Server");

    public override async Task Attach(AttachRequest request, IServerStreamWriter<Notice> responseStream, ServerCallContext context)
    {
        var peer = context.GetBackchannelPeer();
        using var scope = _logger.BeginScope(peer.Scope); // Of what the provider of names logs, too.
        PresentPeer present;
        try
        {
            AttachRequestCheck.ThrowIfInvalid(request);
            drain.ThrowIfDraining();
            present = new PresentPeer(peer, await IdentifyAsync(request, context).ConfigureAwait(false), names);
            drain.ThrowIfDraining(); // Which may have begun, and ended, meanwhile.
            await EnterAsync(present, context.CancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not RpcException and not OperationCanceledException)
        {
            metrics.AttachFailed(StatusCode.Unknown); // gRPC logs it.
            throw;
        }
        catch (RpcException refusal)
        {
            metrics.AttachFailed(refusal.StatusCode);
            var level = drain.HasBegun && refusal.StatusCode == StatusCode.ResourceExhausted ? LogLevel.Debug : LogLevel.Warning; // Agents that move try it where they were, too, for want of another server.
            AttachmentLog.Refused(_logger, level, peer.Id, peer.RemoteEndPoint, refusal.StatusCode, refusal.Status.Detail);
            throw;
        }

        var reason = PeerDisconnectReason.Left;
        try
        {
            metrics.Attached();
            AttachmentLog.Attached(_logger, present.Name, peer.Id);
            drain.TellIfDraining(present); // It may have begun meanwhile.
            await responseStream.WriteAsync(new Notice { Attached = new Attached { Name = present.Name, PeerId = peer.Id, Replica = others.Id ?? "" } }, context.CancellationToken).ConfigureAwait(false);
            while (await present.Notices.NextAsync(context.CancellationToken).ConfigureAwait(false) is { } notice)
            {
                await responseStream.WriteAsync(notice, context.CancellationToken).ConfigureAwait(false);
            }

            reason = present.Notices.DetachedFor ?? reason;
        }
        catch (Exception gone) when (context.CancellationToken.IsCancellationRequested && gone is OperationCanceledException or InvalidOperationException or IOException)
        {
            // The agent has ended the call, or the connection has.
            reason = present.Notices.DetachedFor ?? (HasFailed(context) ? PeerDisconnectReason.ConnectionLost : PeerDisconnectReason.Left);
        }
        finally
        {
            names.Detach(present, reason);
            metrics.Detached();
            AttachmentLog.Detached(_logger, present.Name, peer.Id, reason);
        }
    }

    // The stream knows it before the session has ended. A connection that the peer has closed in good order is no failure of anything: nothing stands behind its end.
    private static bool HasFailed(ServerCallContext context)
        => context.GetHttpContext().Features.Get<IYamuxStreamFeature>()?.Stream.ReadsClosed.Exception?.InnerException is YamuxException
        {
            ErrorCode: YamuxErrorCode.ProtocolError or YamuxErrorCode.KeepAliveTimeout or YamuxErrorCode.ConnectionWriteTimeout
        }
        or YamuxException { ErrorCode: YamuxErrorCode.ConnectionLost or YamuxErrorCode.SessionClosed, InnerException: not null };

    private async ValueTask<PeerIdentity> IdentifyAsync(AttachRequest request, ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var name = options.Value.TrustNamesOfClients && request.Name.Length > 0
            ? request.Name
            : await nameProvider.GetNameAsync(http, context.CancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(name))
        {
            throw Refused(StatusCode.Unauthenticated, options.Value.TrustNamesOfClients ? NoNameAskedFor : NoName);
        }

        if (!PeerName.IsValid(name))
        {
            throw Refused(StatusCode.InvalidArgument, $"name {PeerName.Shown(name)}, which the server has found for this agent: a name is {PeerName.Rule}");
        }

        return new PeerIdentity(
            name,
            request.Instance,
            request.Labels.Count == 0 ? PeerIdentity.NoLabels : new Dictionary<string, string>(request.Labels, StringComparer.Ordinal),
            request.AgentVersion,
            http.User,
            options.Value.Yamux.TimeProvider.GetUtcNow());
    }

    private async ValueTask EnterAsync(PresentPeer present, CancellationToken cancellationToken)
    {
        Enter(present);
        var result = default(PeerRegistrationResult?);
        try
        {
            // Before the agent hears that it is attached, and lets go of the replica that it comes from.
            result = await others.RegisterAsync(present, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (result is null or PeerRegistrationResult.NameInUse or PeerRegistrationResult.TooMany)
            {
                names.Detach(present, result is null ? PeerDisconnectReason.Left : PeerDisconnectReason.Refused);
            }
        }

        switch (result)
        {
            case PeerRegistrationResult.NameInUse:
                throw Refused(StatusCode.AlreadyExists, $"\"{present.Name}\" is attached already, by another instance, to another replica, and the server allows a name once (DuplicateNames.RefuseNewer)");
            case PeerRegistrationResult.TooMany:
                throw Refused(StatusCode.ResourceExhausted, FormattableString.Invariant($"\"{present.Name}\" is attached {BackchannelDirectory.MaxRecordsPerName} times already, to all replicas together, which is the most"));
        }
    }

    private void Enter(PresentPeer present)
    {
        switch (names.Attach(present, out var superseded))
        {
            case AttachResult.AttachedAlready:
                throw Refused(StatusCode.FailedPrecondition, $"this connection is attached already, as \"{present.Peer.Name}\"; it has one Attach call at a time");
            case AttachResult.NameInUse:
                throw Refused(StatusCode.AlreadyExists, $"\"{present.Name}\" is attached already, by another instance, and the server allows a name once (DuplicateNames.RefuseNewer)");
            case AttachResult.TooMany:
                throw Refused(StatusCode.ResourceExhausted, FormattableString.Invariant($"\"{present.Name}\" is attached {options.Value.MaxPeersPerName} times already, which is the most (MaxPeersPerName)"));
        }

        superseded?.End(PeerDisconnectReason.Superseded, "the same instance has attached on another connection", TimeSpan.Zero);
    }

    private static RpcException Refused(StatusCode status, string reason) => new(new Status(status, $"attach refused: {reason}"));
}
