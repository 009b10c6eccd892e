using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Backchannel;

/// <summary>Finds the client that a request came from.</summary>
public static class BackchannelContextExtensions
{
    /// <summary>The client that made this call, to be called back.</summary>
    /// <exception cref="RpcException">
    /// <see cref="StatusCode.FailedPrecondition"/>, «non-multiplexed connection», as Gitaly says: the client's connection has no backchannel.
    /// </exception>
    public static BackchannelPeer GetBackchannelPeer(this ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.GetHttpContext().GetBackchannelPeer();
    }

    /// <summary>The client that made this request, to be called back.</summary>
    /// <exception cref="RpcException">
    /// <see cref="StatusCode.FailedPrecondition"/>, «non-multiplexed connection», as Gitaly says: the client's connection has no backchannel.
    /// </exception>
    public static BackchannelPeer GetBackchannelPeer(this HttpContext context)
        => context.TryGetBackchannelPeer(out var peer)
            ? peer
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, "non-multiplexed connection"));

    /// <summary>The client that made this call. False if its connection has no backchannel.</summary>
    public static bool TryGetBackchannelPeer(this ServerCallContext context, [NotNullWhen(true)] out BackchannelPeer? peer)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.GetHttpContext().TryGetBackchannelPeer(out peer);
    }

    /// <summary>The client that made this request. False if its connection has no backchannel.</summary>
    public static bool TryGetBackchannelPeer(this HttpContext context, [NotNullWhen(true)] out BackchannelPeer? peer)
    {
        ArgumentNullException.ThrowIfNull(context);
        peer = context.Features.Get<IBackchannelPeerFeature>()?.Peer;
        return peer is not null;
    }
}
