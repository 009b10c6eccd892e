using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Yamux;

namespace Backchannel;

/// <summary>The settings of the client's side: its sessions, and the server that serves its services on them.</summary>
public sealed class BackchannelHostOptions
{
    private Action<IConnectionBuilder>? _addedStreams;

    /// <summary>
    /// The yamux session of each connection. Defaults as yamux's, but for a keepalive every 20 s, after which a server that is silent for 10 s is taken for dead.
    /// Gitaly's answer it.
    /// </summary>
    /// <remarks>
    /// Windows start with 1 MiB and grow to 16 MiB as the distance to the server asks. Gitaly's are fixed, its servers' at 16 MiB and its clients' at 256 KiB; neither minds.
    /// For such, set <see cref="YamuxOptions.InitialStreamWindowSize"/> and <see cref="YamuxOptions.MaxStreamWindowSize"/> to the same.
    /// </remarks>
    public YamuxOptions Yamux { get; set; } = new() { KeepAliveInterval = TimeSpan.FromSeconds(20) };

    /// <summary>
    /// How long calls that run may go on, in either direction, when a connection closes in good order: when the last channel that used it was disposed, or in
    /// <see cref="BackchannelHost.StopAsync"/>. Then they are aborted. Default 30 s; more than 0, or <see cref="Timeout.InfiniteTimeSpan"/> for as long as they like.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Where the host and its services log: the program's own, say. Default null: where the services say that are given to <see cref="BackchannelHost.Create"/>; if they
    /// say nothing, warnings and errors go to the console. <c>NullLoggerFactory.Instance</c>: nowhere.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; set; }

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
        OptionCheck.Timeout(DrainTimeout, nameof(BackchannelHostOptions), nameof(DrainTimeout));
    }
}
