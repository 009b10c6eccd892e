using System.Net;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Yamux;

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
            ConnectCallback = (_, cancellationToken) => ConnectAsync(peer, cancellationToken),
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

        var invoker = GrpcChannel.ForAddress("http://backchannel", channelOptions).CreateCallInvoker();
        for (var i = options.Interceptors.Count - 1; i >= 0; i--)
        {
            invoker = invoker.Intercept(options.Interceptors[i]);
        }

        return invoker;
    }

    private static async ValueTask<Stream> ConnectAsync(BackchannelPeer peer, CancellationToken cancellationToken)
    {
        try
        {
            return (await peer.Session.OpenStreamAsync(cancellationToken).ConfigureAwait(false)).AsStream();
        }
        catch (YamuxException failure)
        {
            throw new IOException(BackchannelRegistry.NoBackchannel(peer.Id), failure);
        }
    }
}
