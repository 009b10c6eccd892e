using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Yamux;

namespace Backchannel;

/// <summary>The settings of the server's side: how it takes multiplexed connections, and how it calls back.</summary>
public sealed class BackchannelServerOptions
{
    private Action<IConnectionBuilder>? _addedStreams;

    /// <summary>
    /// The yamux session of each connection. Defaults as yamux's, but for a keepalive every 20 s, after which a client that is silent for 10 s is taken for dead.
    /// Gitaly's answer it.
    /// </summary>
    /// <remarks>
    /// Windows start with 1 MiB and grow to 16 MiB as the distance to the client asks. Gitaly's are fixed, its servers' at 16 MiB and its clients' at 256 KiB; neither minds.
    /// For such, set <see cref="YamuxOptions.InitialStreamWindowSize"/> and <see cref="YamuxOptions.MaxStreamWindowSize"/> to the same.
    /// </remarks>
    public YamuxOptions Yamux { get; set; } = new() { KeepAliveInterval = TimeSpan.FromSeconds(20) };

    /// <summary>
    /// How long a connection may take to send its first 11 bytes, and then, if it is multiplexed, to open its stream; it is
    /// closed then. Default 120 s, as grpc-go gives; <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// How long calls to a peer that run may go on when the client has closed its connections in good order, and the session stays for their sake, or when it was sent away
    /// (<see cref="BackchannelPeer.DisconnectAsync"/>). Then they are aborted. A server that stops gives attached agents as long to move elsewhere, within its own time
    /// (<c>HostOptions.ShutdownTimeout</c>), and all calls the rest of that. Default 30 s; more than 0, or <see cref="Timeout.InfiniteTimeSpan"/> for as long as they like.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many HTTP/2 connections a client may have at once within its one connection: a further handler of the client's, or a further hundred calls at a time,
    /// takes another, and a handler that is replaced keeps its own while its calls run. One more is refused (RST). Default 128; at least 1. Gitaly's clients have one.
    /// </summary>
    public int MaxHttpConnectionsPerPeer { get; set; } = 128;

    /// <summary>
    /// How many calls to one peer may run at once, by whatever client or invoker they are made; one more fails with <see cref="StatusCode.ResourceExhausted"/> and has not left. Default
    /// 1,000; at least 1.
    /// </summary>
    public int MaxCallsPerPeer { get; set; } = 1000;

    /// <summary>
    /// Whether an agent that attaches gets the name that it asks for. Anybody who can connect can then be called in the place of anybody else: for a network in which all are trusted, and for
    /// trying things out. Default false: the name is that of who has authenticated (<see cref="IBackchannelPeerNameProvider"/>).
    /// </summary>
    public bool TrustNamesOfClients { get; set; }

    /// <summary>What becomes of several agents of one name. Default <see cref="DuplicateNames.Newest"/>.</summary>
    public DuplicateNames DuplicateNames { get; set; }

    /// <summary>How many agents of one name may be attached at once; one more is refused with <see cref="StatusCode.ResourceExhausted"/>. Default 8; at least 1.</summary>
    public int MaxPeersPerName { get; set; } = 8;

    /// <summary>
    /// Looks at each multiplexed connection before it becomes a peer, and may refuse it (<see cref="BackchannelConnectingContext.Refuse"/>): it is closed then, with one line in the
    /// log. An exception refuses too. <see cref="HandshakeTimeout"/> bounds it, and so does the patience of the client, which hears nothing meanwhile: 30 s with the defaults of this library.
    /// Default null: all are let in.
    /// </summary>
    public Func<BackchannelConnectingContext, ValueTask>? OnConnecting { get; set; }

    /// <summary>
    /// After how long without a call the channel back to a peer is closed; the next call opens it again. Default 30
    /// minutes, as grpc-go; <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Interceptors of the calls to the peers; the first is the outermost. Default none.</summary>
    public IList<Interceptor> Interceptors { get; } = [];

    /// <summary>
    /// Changes the options of each channel back to a peer, when it is first called, such as its message size limits or service config. Its
    /// <see cref="GrpcChannelOptions.HttpHandler"/> is the backchannel: it may be wrapped in a <see cref="DelegatingHandler"/>, and must not be replaced. It is tried when
    /// the server starts, so that what it does wrong shows then. Credentials that it sets need TLS on each endpoint with a backchannel, whatever
    /// <see cref="GrpcChannelOptions.UnsafeUseInsecureChannelCallCredentials"/> says. Default none.
    /// </summary>
    public Action<GrpcChannelOptions>? ConfigureChannel { get; set; }

    /// <summary>
    /// Adds middleware that serves the streams which a client opens besides its first: a listener mux, say (<see cref="IYamuxStreamFeature"/> is the
    /// stream, <see cref="IBackchannelPeerFeature"/> the client). What it passes on is a further HTTP/2 connection of the client's. It stands behind what
    /// <see cref="AddStreams"/> has added. Default null.
    /// </summary>
    public Action<IConnectionBuilder>? ConfigureStreams { get; set; }

    /// <summary>All that stands in front of the HTTP/2 connections which a client opens besides its first; null: nothing.</summary>
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
        OptionCheck.Timeout(HandshakeTimeout, nameof(BackchannelServerOptions), nameof(HandshakeTimeout));
        OptionCheck.Timeout(IdleTimeout, nameof(BackchannelServerOptions), nameof(IdleTimeout));
        OptionCheck.Timeout(DrainTimeout, nameof(BackchannelServerOptions), nameof(DrainTimeout));
        OptionCheck.Count(MaxHttpConnectionsPerPeer, nameof(BackchannelServerOptions), nameof(MaxHttpConnectionsPerPeer));
        OptionCheck.Count(MaxCallsPerPeer, nameof(BackchannelServerOptions), nameof(MaxCallsPerPeer));
        OptionCheck.Count(MaxPeersPerName, nameof(BackchannelServerOptions), nameof(MaxPeersPerName));
        if (!Enum.IsDefined(DuplicateNames))
        {
            throw new ArgumentOutOfRangeException(nameof(DuplicateNames), DuplicateNames, $"{nameof(BackchannelServerOptions)}.{nameof(DuplicateNames)} is {DuplicateNames}, which it has not.");
        }

        for (var i = 0; i < Interceptors.Count; i++)
        {
            if (Interceptors[i] is null)
            {
                throw new ArgumentNullException(nameof(Interceptors), $"{nameof(BackchannelServerOptions)}.{nameof(Interceptors)}[{i}] is null.");
            }
        }
    }
}
