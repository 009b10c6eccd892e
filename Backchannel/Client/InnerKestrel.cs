using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backchannel;

/// <summary>How a Kestrel serves what servers open, whatever application it belongs to.</summary>
internal static class InnerKestrel
{
    public static void Configure(KestrelServerOptions kestrel, BackchannelHostOptions options, ServedCalls calls)
    {
        kestrel.AddServerHeader = false;

        // The server decides how long an idle backchannel stays. Not InfiniteTimeSpan: Kestrel adds it to the time, which
        // overflows, and closes an idle connection at its next heartbeat, within a second.
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromDays(3650);

        // One stream's bytes wait for those of others on the same connection: that a call is slow says nothing about its peer.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        options.ConfigureLimits?.Invoke(kestrel.Limits);
        kestrel.Listen(BackchannelEndPoint.Instance, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => stream => HostedSession.ServeAsync(stream, next));
            listen.Use(next => stream => calls.OnStreamAsync(stream, next));
            options.Streams?.Invoke(listen);
            listen.Use(next => connection => HostedSession.ServeHttpAsync(connection, next));
            listen.UseAnyAuthority(kestrel.Limits);
        });
    }
}
