using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Backchannel;

/// <summary>Makes the gRPC channels back to the peers: HTTP/2 on a yamux stream that is opened at the first call.</summary>
internal sealed class PeerChannels(BackchannelServerOptions options, PeerInterceptors interceptors, ServerMetrics metrics, string? replica)
{
    /// <summary>The id of this replica; null where there are no others.</summary>
    public string? Replica => replica;

    public CallInvoker Create(ICallee peer, bool isEncrypted) => Create(peer, isEncrypted, options.IdleTimeout);

    public CallInvoker Create(ICallee peer, bool isEncrypted, TimeSpan idleTimeout)
    {
        // It is never disposed: that would cancel calls that are about to fail with the truth. When the session has ended
        // nothing of it is left but memory.
        var invoker = CreateChannel(new PeerHandler(peer, idleTimeout), isEncrypted, options, out _).CreateCallInvoker().Intercept(new DispatchInterceptor(method => CallObservation.Begin(metrics, peer, method)));
        if (!isEncrypted)
        {
            invoker = invoker.Intercept(new PlaintextCredentialsInterceptor(peer.Description));
        }

        return interceptors.Intercept(invoker, peer);
    }

    /// <summary>Throws what would be thrown for each peer of an endpoint.</summary>
    public static void Try(BackchannelServerOptions options, bool isEncrypted)
    {
        var first = new PeerHandler(null, options.IdleTimeout);
        using var channel = CreateChannel(first, isEncrypted, options, out var chain);
        using var second = CreateChannel(new PeerHandler(null, options.IdleTimeout), isEncrypted, options, out _);
        if (!Contains(chain, first))
        {
            // The calls to one peer would reach another.
            throw new InvalidOperationException(
                $"{nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.ConfigureChannel)} has put one handler around the channels of two peers. Make a new one for each: channel.HttpHandler = new MyHandler {{ InnerHandler = channel.HttpHandler }};");
        }
    }

    private static GrpcChannel CreateChannel(PeerHandler handler, bool isEncrypted, BackchannelServerOptions options, out HttpMessageHandler? chain)
    {
        var channelOptions = new GrpcChannelOptions { HttpHandler = handler };
        options.ConfigureChannel?.Invoke(channelOptions);

        if (channelOptions.HttpClient is not null || !Contains(channelOptions.HttpHandler, handler))
        {
            throw new InvalidOperationException(
                $"{nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.ConfigureChannel)} has replaced the HTTP handler; the backchannel needs its own. Wrap it: channel.HttpHandler = new MyHandler {{ InnerHandler = channel.HttpHandler }};");
        }

        chain = channelOptions.HttpHandler;

        if (channelOptions.HttpVersion is { Major: not 2 } version)
        {
            throw new InvalidOperationException(
                $"{nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.ConfigureChannel)} has set HttpVersion {version}; a backchannel needs HTTP/2. Leave it alone.");
        }

        var credentials = CredentialsProbe.Of(channelOptions.Credentials);
        if (!isEncrypted && credentials is { IsSecure: true } or { HasCallCredentials: true })
        {
            throw new InvalidOperationException(
                $"{nameof(BackchannelServerOptions)}.{nameof(BackchannelServerOptions.ConfigureChannel)} has set Credentials that need TLS, and the endpoint has none, so that anybody on the way could read them. Call listen.UseHttps() before listen.UseBackchannel(), or leave the Credentials alone.");
        }

        // gRPC goes by these whether credentials may be sent: it does not see whether the connection that its bytes are in has TLS, and would leave them away, or send them in the clear.
        channelOptions.UnsafeUseInsecureChannelCallCredentials = isEncrypted;
        var scheme = isEncrypted && credentials.IsSecure != false ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        return GrpcChannel.ForAddress($"{scheme}://backchannel", channelOptions);
    }

    private static bool Contains(HttpMessageHandler? chain, PeerHandler handler)
    {
        while (chain != handler && chain is DelegatingHandler outer)
        {
            chain = outer.InnerHandler;
        }

        return chain == handler;
    }
}
