using System.Net.Security;
using Yamux;

namespace Backchannel;

/// <summary>The settings of a server that is one of several replicas: how the others reach it, and how it reaches them.</summary>
public sealed class BackchannelReplicaOptions
{
    /// <summary>
    /// Where the other replicas reach the endpoint of this one that has <see cref="BackchannelLinkListenOptionsExtensions.UseBackchannelLink"/>: <c>https://10.0.0.1:5002</c>, with an address of this replica's alone, not
    /// that of a balancer. Without TLS <c>http://</c>. There is no default.
    /// </summary>
    public Uri? Address { get; set; }

    /// <summary>
    /// Says for each connection to another replica which certificate is shown, and which are trusted; <see cref="SslClientAuthenticationOptions.TargetHost"/> is the host of the other's address by then. Default null: the
    /// certificates of the machine are trusted, and none is shown, which no replica takes.
    /// </summary>
    public Action<SslClientAuthenticationOptions>? ConfigureTls { get; set; }

    /// <summary>
    /// Whether links may go without TLS where that is not loopback: whoever reaches the endpoint can then call every agent, and who is on the way hears all. Default false.
    /// </summary>
    public bool AllowPlaintext { get; set; }

    /// <summary>How long a replica is taken for alive that has not renewed its lease. Default 3 s; at least a second. The same at all replicas.</summary>
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the lease is renewed. Default 1 s; more than 0, and at most half of <see cref="LeaseTime"/>.</summary>
    public TimeSpan RenewInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>In which time all agents that are attached here are written down once more, spread evenly: what was lost without a sign comes back so. Default 5 minutes; more than 0.</summary>
    public TimeSpan RewriteInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long it may take to find an agent that is attached to another replica, and to reach it; then a call fails that was not dispatched. Default 5 s; more than 0.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection to another replica may take, within <see cref="ConnectTimeout"/>. Default 2 s; more than 0.</summary>
    public TimeSpan DialTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How many connections there are to one other replica at most. Default 4; at least 1. A further one is made when those that there are have 64 streams each.</summary>
    public int MaxConnectionsPerReplica { get; set; } = 4;

    /// <summary>How many agents of other replicas may be known at once; one that is called beyond takes the place of the one that was called last longest ago, and if calls to all of them run, the call fails with ResourceExhausted. Default 10,000; at least 1.</summary>
    public int MaxFarPeers { get; set; } = 10_000;

    /// <summary>After how long without a call an agent of another replica is forgotten, and the connection to it closed. Default 60 s; more than 0.</summary>
    public TimeSpan FarPeerIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How many streams other replicas may have to one agent that is attached here: each takes one, and a further one for each hundred calls at once. One more is refused with ResourceExhausted. Default 128; at least 1.</summary>
    public int MaxForwardedStreamsPerPeer { get; set; } = 128;

    /// <summary>
    /// The yamux sessions between replicas. Default as yamux's, but for a keepalive every second that is waited for 1.5 s, so that calls over a link that breaks fail within 3 s, for 16,384 streams, and windows
    /// of at most 4 MiB.
    /// </summary>
    public YamuxOptions Yamux { get; set; } = new()
    {
        KeepAliveInterval = TimeSpan.FromSeconds(1),
        KeepAliveTimeout = TimeSpan.FromMilliseconds(1500),
        MaxInboundStreams = 16_384,
        MaxStreamWindowSize = 4 * 1024 * 1024,
    };

    /// <summary>Checks every option.</summary>
    /// <exception cref="ArgumentException">An option is missing, or out of range; the message names it, its value and the range.</exception>
    public void Validate()
    {
        const string Type = nameof(BackchannelReplicaOptions);
        if (Address is not { IsAbsoluteUri: true, Scheme: "https" or "http" } address || address.Host.Length == 0 || address.AbsolutePath != "/" || address.Query.Length > 0 || address.UserInfo.Length > 0)
        {
            throw new ArgumentException(
                $"{Type}.{nameof(Address)} is {Address?.ToString() ?? "not set"}; it must be where the other replicas reach this one: AddReplicas(replica => replica.Address = new Uri(\"https://10.0.0.1:5002\")), without a path.",
                nameof(Address));
        }

        if (address.Scheme == Uri.UriSchemeHttp && !AllowPlaintext && !address.IsLoopback)
        {
            throw new ArgumentException($"{Type}.{nameof(Address)} is {Address}, without TLS and not loopback: anybody on the way could call every agent. Use https, or set {nameof(AllowPlaintext)}.", nameof(Address));
        }

        if (LeaseTime < TimeSpan.FromSeconds(1) || LeaseTime > TimeSpan.FromHours(1))
        {
            throw new ArgumentOutOfRangeException(nameof(LeaseTime), LeaseTime, $"{Type}.{nameof(LeaseTime)} is {LeaseTime}; it must be at least a second and at most an hour.");
        }

        if (RenewInterval <= TimeSpan.Zero || RenewInterval > LeaseTime / 2)
        {
            throw new ArgumentOutOfRangeException(nameof(RenewInterval), RenewInterval, $"{Type}.{nameof(RenewInterval)} is {RenewInterval}; it must be more than 0 and at most half of {nameof(LeaseTime)}, {LeaseTime / 2}.");
        }

        OptionCheck.FiniteTimeout(RewriteInterval, Type, nameof(RewriteInterval));
        OptionCheck.FiniteTimeout(ConnectTimeout, Type, nameof(ConnectTimeout));
        OptionCheck.FiniteTimeout(DialTimeout, Type, nameof(DialTimeout));
        OptionCheck.FiniteTimeout(FarPeerIdleTimeout, Type, nameof(FarPeerIdleTimeout));
        OptionCheck.Count(MaxConnectionsPerReplica, Type, nameof(MaxConnectionsPerReplica));
        OptionCheck.Count(MaxFarPeers, Type, nameof(MaxFarPeers));
        OptionCheck.Count(MaxForwardedStreamsPerPeer, Type, nameof(MaxForwardedStreamsPerPeer));
        ArgumentNullException.ThrowIfNull(Yamux, nameof(Yamux));
        Yamux.Validate();
    }
}
