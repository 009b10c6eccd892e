using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Yamux;

namespace Backchannel;

/// <summary>The settings of the server's side: how it takes multiplexed connections, and how it calls back.</summary>
public sealed class BackchannelServerOptions
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private Action<IConnectionBuilder>? _addedStreams;

    /// <summary>
    /// The yamux session of each connection. Defaults as a Gitaly server's: an accept backlog of 1, windows of 16 MiB, no
    /// keepalive (gRPC's pings take its place); the rest is yamux's.
    /// </summary>
    /// <remarks>
    /// The windows are fixed, since <see cref="YamuxOptions.InitialStreamWindowSize"/> is the same as
    /// <see cref="YamuxOptions.MaxStreamWindowSize"/>: lower the first alone and they grow with use; a lower maximum needs both.
    /// </remarks>
    public YamuxOptions Yamux { get; set; } = new()
    {
        AcceptBacklog = 1,
        InitialStreamWindowSize = 16 * 1024 * 1024,
        MaxStreamWindowSize = 16 * 1024 * 1024,
        EnableKeepAlive = false,
    };

    /// <summary>
    /// How long a connection may take to send its first 11 bytes, and then, if it is multiplexed, to open its stream; it is
    /// closed then. Default 120 s, as grpc-go gives; <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// After how long without a call the channel back to a peer is closed; the next call opens it again. Default 30
    /// minutes, as grpc-go; <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Interceptors of the calls to the peers; the first is the outermost. Default none.</summary>
    public IList<Interceptor> Interceptors { get; } = [];

    /// <summary>
    /// Changes the options of each channel back to a peer, such as its message size limits or service config. Its
    /// <see cref="GrpcChannelOptions.HttpHandler"/> is the backchannel and must stay. Default none.
    /// </summary>
    public Action<GrpcChannelOptions>? ConfigureChannel { get; set; }

    /// <summary>
    /// Adds middleware that serves the streams which a client opens besides its first: a listener mux, say (<see cref="IYamuxStreamFeature"/> is the
    /// stream, <see cref="IBackchannelPeerFeature"/> the client). What it does not serve is aborted. Raise <see cref="YamuxOptions.AcceptBacklog"/> with it: with 1,
    /// streams that come together are refused. It stands behind what <see cref="AddStreams"/> has added. Default null: such streams are never accepted, if nothing was
    /// added either, as in Gitaly, whose clients open none.
    /// </summary>
    public Action<IConnectionBuilder>? ConfigureStreams { get; set; }

    /// <summary>All that serves the streams which a client opens besides its first; null: nothing does.</summary>
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

    /// <summary>Checks every option. <see cref="BackchannelListenOptionsExtensions.UseBackchannel"/> calls it.</summary>
    /// <exception cref="ArgumentException">An option is null or out of range; the message names it, its value and the range.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Yamux, nameof(Yamux));
        Yamux.Validate();
        Check(HandshakeTimeout, nameof(HandshakeTimeout));
        Check(IdleTimeout, nameof(IdleTimeout));
        for (var i = 0; i < Interceptors.Count; i++)
        {
            if (Interceptors[i] is null)
            {
                throw new ArgumentNullException(nameof(Interceptors), $"{nameof(BackchannelServerOptions)}.{nameof(Interceptors)}[{i}] is null.");
            }
        }
    }

    private static void Check(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > LongestTimeout))
        {
            throw new ArgumentOutOfRangeException(
                name,
                value,
                $"{nameof(BackchannelServerOptions)}.{name} is {value}; it must be more than 0 and at most {LongestTimeout}, or Timeout.InfiniteTimeSpan to switch it off.");
        }
    }
}
