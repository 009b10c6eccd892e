using System.Net;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Backchannel;

/// <summary>Puts the endpoint that replicas reach each other on into Kestrel.</summary>
public static class BackchannelLinkListenOptionsExtensions
{
    /// <summary>
    /// Takes links from other replicas on this endpoint, and nothing else. Whoever has a link can call every agent: call it after <c>UseHttps</c>, which is to require a certificate of the replicas' own
    /// authority (<c>ClientCertificateMode.RequireCertificate</c>); a connection without one is refused. Without TLS it works on loopback alone, unless
    /// <see cref="BackchannelReplicaOptions.AllowPlaintext"/> is set.
    /// </summary>
    /// <param name="listen">The endpoint: one of its own, not that of agents.</param>
    /// <returns><paramref name="listen"/>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddReplicas</c> was not called, or the endpoint is without TLS where it must not be; when the server starts, also if <c>UseHttps</c> was called behind this.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static ListenOptions UseBackchannelLink(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var services = listen.ApplicationServices;
        var middleware = services.GetService<LinkMiddleware>()
            ?? throw new InvalidOperationException("UseBackchannelLink needs the services of replicas: call builder.Services.AddBackchannel().AddReplicas(replica => replica.Address = …).");
        var options = services.GetRequiredService<IOptions<BackchannelReplicaOptions>>().Value;
        options.Validate();
        var hadTls = EndpointCheck.HasTls(listen);
        if (!hadTls && !options.AllowPlaintext && !IsLoopback(listen.EndPoint))
        {
            throw new InvalidOperationException(
                $"The link endpoint {listen} is without TLS and not loopback: whoever reaches it could call every agent. Call listen.UseHttps(…) with ClientCertificateMode.RequireCertificate before listen.UseBackchannelLink(), or set {nameof(BackchannelReplicaOptions)}.{nameof(BackchannelReplicaOptions.AllowPlaintext)}.");
        }

        listen.Use(next =>
        {
            if (!hadTls && EndpointCheck.HasTls(listen))
            {
                throw new InvalidOperationException($"The link endpoint {listen} would look at the encrypted bytes. Call listen.UseHttps() before listen.UseBackchannelLink().");
            }

            middleware.HasEndpoint = true;
            return next;
        });
        var server = services.GetRequiredService<IOptions<BackchannelServerOptions>>().Value;
        listen.UseListenMux(mux =>
        {
            mux.HandshakeTimeout = options.ConnectTimeout;
            mux.TimeProvider = server.Yamux.TimeProvider;
            mux.Map(LinkHeader.Magic, (connection, _) => middleware.OnConnectionAsync(connection, hadTls));
        });
        listen.Use(_ => middleware.OnStrangerAsync);
        return listen;
    }

    private static bool IsLoopback(EndPoint? endPoint) => endPoint is not IPEndPoint ip || IPAddress.IsLoopback(ip.Address);
}
