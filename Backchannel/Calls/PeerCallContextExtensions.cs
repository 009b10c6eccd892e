using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Backchannel;

/// <summary>Tells an interceptor of calls to peers whom it intercepts a call to.</summary>
public static class PeerCallContextExtensions
{
    /// <summary>The peer that is called. False: the call is none to a peer, or an interceptor before this has replaced the headers and is not one of the backchannel's.</summary>
    /// <param name="context">The call.</param>
    /// <param name="peer">The peer.</param>
    public static bool TryGetCalledPeer<TRequest, TResponse>(this ClientInterceptorContext<TRequest, TResponse> context, [NotNullWhen(true)] out BackchannelPeer? peer)
        where TRequest : class
        where TResponse : class
    {
        peer = CalledPeerInterceptor.Find(context.Options);
        return peer is not null;
    }
}
