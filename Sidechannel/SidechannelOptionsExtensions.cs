using System.Runtime.CompilerServices;
using Backchannel;
using ListenMux;
using Microsoft.AspNetCore.Connections;
using Yamux;

namespace Sidechannel;

/// <summary>Lets the handlers of calls open the sidechannels that the callers offer.</summary>
public static class SidechannelOptionsExtensions
{
    private static readonly ConditionalWeakTable<object, object> WithRegistry = [];

    /// <summary>For a client that calls a server: the server may open sidechannels.</summary>
    /// <param name="options">The client's settings.</param>
    /// <param name="registry">What the client offers.</param>
    /// <returns><paramref name="options"/>.</returns>
    /// <exception cref="InvalidOperationException">The options have a registry already.</exception>
    public static BackchannelHostOptions UseSidechannels(this BackchannelHostOptions options, SidechannelRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(registry);
        Claim(options);
        options.AddStreams(streams => Map(streams, registry, options.Yamux));
        return options;
    }

    /// <summary>
    /// For a server that calls its clients: the clients may open sidechannels. Gitaly has it only the other way: its servers accept no stream but
    /// the first.
    /// </summary>
    /// <param name="options">The server's settings.</param>
    /// <param name="registry">What the server offers. From now on each registration must name the session of the client that is called (<see cref="BackchannelPeer.Session"/>).</param>
    /// <returns><paramref name="options"/>.</returns>
    /// <exception cref="InvalidOperationException">The options have a registry already.</exception>
    public static BackchannelServerOptions UseSidechannels(this BackchannelServerOptions options, SidechannelRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(registry);
        Claim(options);
        registry.NeedSession();
        options.AddStreams(streams => Map(streams, registry, options.Yamux));
        return options;
    }

    // The first would take the sidechannels of the second, and refuse them.
    private static void Claim(object options)
    {
        if (!WithRegistry.TryAdd(options, options))
        {
            throw new InvalidOperationException("These options have a registry of sidechannels already. One serves any number of connections and calls.");
        }
    }

    private static void Map(IConnectionBuilder streams, SidechannelRegistry registry, YamuxOptions yamux) => streams.UseListenMux(mux =>
    {
        mux.TimeProvider = yamux.TimeProvider;
        mux.Map(Handshake.Magic, registry.OnConnectionAsync);
    });
}
