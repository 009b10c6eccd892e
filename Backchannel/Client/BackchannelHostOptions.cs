using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Yamux;

namespace Backchannel;

/// <summary>The settings of the client's side: its sessions, and the server that serves its services on them.</summary>
public sealed class BackchannelHostOptions
{
    private Action<IConnectionBuilder>? _addedStreams;

    /// <summary>
    /// The yamux session of each connection. Defaults as a Praefect client's: an accept backlog of 256, windows of 256 KiB,
    /// no keepalive (gRPC's pings take its place); the rest is yamux's.
    /// </summary>
    /// <remarks>
    /// The windows are fixed, since <see cref="YamuxOptions.InitialStreamWindowSize"/> is the same as
    /// <see cref="YamuxOptions.MaxStreamWindowSize"/>: raise the second alone and they grow with use; to start larger needs both.
    /// </remarks>
    public YamuxOptions Yamux { get; set; } = new()
    {
        InitialStreamWindowSize = 256 * 1024,
        MaxStreamWindowSize = 256 * 1024,
        EnableKeepAlive = false,
    };

    /// <summary>
    /// Changes the limits of the server that serves the client's services. It listens on no port: connections come from the
    /// sessions alone. Default none.
    /// </summary>
    public Action<KestrelServerLimits>? ConfigureLimits { get; set; }

    /// <summary>
    /// Adds middleware in front of the client's services, on each stream that the server opens: a listener mux, for streams that carry
    /// something else than gRPC (<see cref="IYamuxStreamFeature"/> is the stream). It stands behind what <see cref="AddStreams"/> has added. Default none.
    /// </summary>
    public Action<IConnectionBuilder>? ConfigureStreams { get; set; }

    /// <summary>All that stands in front of the client's services; null: nothing.</summary>
    internal Action<IConnectionBuilder>? Streams => _addedStreams + ConfigureStreams;

    /// <summary>
    /// Adds middleware in front of what <see cref="ConfigureStreams"/> adds, whenever that is set: for libraries that serve streams of their own, so that neither
    /// undoes the other. What is added first is asked first.
    /// </summary>
    /// <param name="configure">Adds the middleware, which passes on what it does not serve.</param>
    public void AddStreams(Action<IConnectionBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _addedStreams += configure;
    }

    /// <summary>Checks every option. <see cref="BackchannelHost.Create"/> calls it.</summary>
    /// <exception cref="ArgumentException">An option is null or out of range; the message names it, its value and the range.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Yamux, nameof(Yamux));
        Yamux.Validate();
    }
}
