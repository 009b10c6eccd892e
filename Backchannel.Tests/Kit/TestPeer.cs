using System.IO.Pipelines;
using System.Security.Claims;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Yamux;

namespace Backchannel.Tests.Kit;

/// <summary>A peer at the end of a connection on which nothing is ever said, for what needs many of them.</summary>
internal static class TestPeer
{
    private static readonly BackchannelServerOptions Options = new() { Yamux = { EnableKeepAlive = false } };
    private static readonly PeerInterceptors None = new(Microsoft.Extensions.Options.Options.Create(Options), [], new ServiceCollection().BuildServiceProvider());
    private static readonly ServerMetrics Metrics = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), TimeProvider.System);
    private static long _lastId;

    public static PresentPeer Create(PeerNames names, string name, string instance = "")
    {
        var pipe = new SilentPipe();
        var session = YamuxSession.Create(pipe, YamuxRole.Server, Options.Yamux);
        var connection = new PeerConnection(new DefaultConnectionContext(), Options.DrainTimeout, Options.Yamux.TimeProvider, NullLogger.Instance, new ConnectionScope("test"));
        var peer = new BackchannelPeer(Interlocked.Increment(ref _lastId), session, connection, Options, new PeerChannels(Options, None, Metrics, null));
        return new PresentPeer(peer, new PeerIdentity(name, instance, PeerIdentity.NoLabels, "", new ClaimsPrincipal(), DateTimeOffset.UnixEpoch), names);
    }

    private sealed class SilentPipe : IDuplexPipe
    {
        public PipeReader Input { get; } = new Pipe().Reader;

        public PipeWriter Output { get; } = new Pipe().Writer;
    }
}
