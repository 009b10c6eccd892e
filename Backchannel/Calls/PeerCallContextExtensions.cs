using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>Tells an interceptor of calls to peers whom it intercepts a call to.</summary>
public static class PeerCallContextExtensions
{
    /// <summary>Where the peer is that is called, here or at another replica. False: the call is none to a peer, or an interceptor before this has replaced the headers and is not one of the backchannel's.</summary>
    /// <param name="context">The call.</param>
    /// <param name="location">Where the peer is.</param>
    public static bool TryGetCalledLocation<TRequest, TResponse>(this ClientInterceptorContext<TRequest, TResponse> context, [NotNullWhen(true)] out PeerLocation? location)
        where TRequest : class
        where TResponse : class
    {
        location = CalledPeerInterceptor.Find(context.Options)?.Location;
        return location is not null;
    }

    /// <summary>The peer that is called. False: it is attached to another replica, the call is none to a peer, or an interceptor before this has replaced the headers and is not one of the backchannel's.</summary>
    /// <param name="context">The call.</param>
    /// <param name="peer">The peer.</param>
    public static bool TryGetCalledPeer<TRequest, TResponse>(this ClientInterceptorContext<TRequest, TResponse> context, [NotNullWhen(true)] out BackchannelPeer? peer)
        where TRequest : class
        where TResponse : class
    {
        peer = CalledPeerInterceptor.Find(context.Options) as BackchannelPeer;
        return peer is not null;
    }
}
