using System.Net;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Backchannel;

/// <summary>Makes the gRPC channel back to a peer: HTTP/2 on a yamux stream that is opened at the first call.</summary>
internal static class PeerChannel
{
    public static CallInvoker Create(BackchannelPeer peer, BackchannelServerOptions options)
    {
        // It is never disposed: that would cancel calls that are about to fail with the truth. When the session has ended
        // nothing of it is left but memory.
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
                (await peer.Session.OpenStreamAsync(cancellationToken).ConfigureAwait(false)).AsStream(),
            PooledConnectionIdleTimeout = options.IdleTimeout,
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
        };
        var channelOptions = new GrpcChannelOptions { HttpHandler = handler };
        options.ConfigureChannel?.Invoke(channelOptions);
        if (channelOptions.HttpHandler != handler || channelOptions.HttpClient is not null)
        {
            throw new InvalidOperationException(
                $"{nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.ConfigureChannel)} has replaced the HTTP handler; the backchannel needs its own.");
        }

        // Innermost, so that the interceptors of the user see the refusal of a peer that has gone as any other failure.
        var invoker = GrpcChannel.ForAddress("http://backchannel", channelOptions).CreateCallInvoker()
            .Intercept(new ClosedPeerInterceptor(peer));
        for (var i = options.Interceptors.Count - 1; i >= 0; i--)
        {
            invoker = invoker.Intercept(options.Interceptors[i]);
        }

        return invoker;
    }
}
