using ListenMux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Puts the backchannel on an endpoint of Kestrel's.</summary>
public static class BackchannelListenOptionsExtensions
{
    /// <summary>
    /// Takes multiplexed connections on this endpoint: the server can call the clients that come on them. Plain gRPC
    /// clients use the same port and notice nothing. Call it after <c>UseHttps</c>, or without TLS.
    /// </summary>
    /// <remarks>
    /// Without TLS the endpoint must speak HTTP/2 only (<c>listen.Protocols = HttpProtocols.Http2</c>), since there is
    /// nothing to negotiate with. An endpoint on which it cannot work fails the start of the server, and says what to change; so does
    /// what <see cref="BackchannelServerOptions.ConfigureChannel"/> throws.
    /// </remarks>
    /// <param name="listen">The endpoint.</param>
    /// <returns><paramref name="listen"/>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddBackchannel</c> was not called.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static ListenOptions UseBackchannel(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var services = listen.ApplicationServices;
        var registry = services.GetService<BackchannelRegistry>()
            ?? throw new InvalidOperationException("UseBackchannel needs its services: call builder.Services.AddBackchannel().");
        var options = services.GetRequiredService<IOptions<BackchannelServerOptions>>().Value;
        options.Validate();
        var hadTls = EndpointCheck.HasTls(listen);
        listen.Use(next =>
        {
            EndpointCheck.ThrowIfUnfit(listen, hadTls);
            PeerChannels.Try(options, hadTls);
            registry.HasEndpoint = true;
            return next;
        });

        var loggers = services.GetRequiredService<ILoggerFactory>();
        var middleware = new BackchannelMiddleware(registry, options, BuildStreams(services, options), services.GetRequiredService<PeerInterceptors>(), services.GetRequiredService<ServerMetrics>(), services.GetRequiredService<IOtherReplicas>().Id, loggers);
        listen.UseListenMux(mux =>
        {
            mux.HandshakeTimeout = options.HandshakeTimeout;
            mux.TimeProvider = options.Yamux.TimeProvider;
            mux.Map(BackchannelMagic.Bytes, middleware.OnConnectionAsync);
        });
        return listen;
    }

    // What stands in front of the HTTP/2 connections that a client opens besides its first.
    private static ConnectionDelegate BuildStreams(IServiceProvider services, BackchannelServerOptions options)
    {
        var streams = new ConnectionBuilder(services);
        options.Streams?.Invoke(streams);
        streams.Run(InboundStreams.ServeHttpAsync);
        return streams.Build();
    }
}
