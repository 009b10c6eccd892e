using Grpc.Net.Client;

namespace Backchannel;

/// <summary>The settings of an agent. <c>AddBackchannelAgent</c> binds them to the section <c>Backchannel:Agent</c> of the configuration, and they are checked when the host starts.</summary>
public sealed class BackchannelAgentOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Backchannel:Agent";

    /// <summary>The server's address, <c>https://</c> or <c>http://</c>, without a path. Required.</summary>
    public string Address { get; set; } = "";

    /// <summary>
    /// The name that the agent would like to have: 1 to 128 of the letters and digits of ASCII and of <c>. _ - : / @</c>. A server takes it only if it trusts its clients; others give each the name that it has
    /// authenticated with. Default empty: no wish.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>What the server can read of the agent: at most 64, of 16,384 bytes together. Default none.</summary>
    public IDictionary<string, string> Labels { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The version that the agent says it has, at most 128 bytes. Default: that of the program.</summary>
    public string? Version { get; set; }

    /// <summary>The least upper bound of the random time until a further attempt to connect. Default 0.5 s; more than 0, at most <see cref="MaxBackoff"/>.</summary>
    /// <remarks>
    /// The first attempt after a connection that was good comes within a random second; each that fails doubles the bound of the next, from this one to <see cref="MaxBackoff"/>, and the time is random between 0 and
    /// the bound (full jitter). A server that says when to come back is obeyed.
    /// </remarks>
    public TimeSpan MinBackoff { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The greatest bound; the time itself where a refusal will not change by itself (no authentication, no permission, an invalid name). Default 30 s; more than 0, at most a day.</summary>
    public TimeSpan MaxBackoff { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long an attempt may take, from the connection to the server's word that the agent is attached, and how long a server may say nothing meanwhile. Default 30 s; more than 0.
    /// </summary>
    public TimeSpan AttachTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long calls that run, in either direction, may go on when the agent stops, or moves to another server. Then they are aborted. Default 30 s; more than 0, or infinite.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After how long a server from which nothing comes is asked whether it lives. Default 20 s; from 1 s. With <see cref="KeepAliveTimeout"/> it bounds how long a dead path goes unnoticed.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long it may then go on saying nothing. Default 10 s; from 1 s.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Changes the handler of each connection: certificates, a proxy, headers' sources. Default none.</summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; set; }

    /// <summary>Changes the channel of each connection: message sizes, credentials, a service config. Its handler is the agent's own. Default none.</summary>
    public Action<GrpcChannelOptions>? ConfigureChannel { get; set; }

    /// <summary>Changes all else: the sessions' windows, the limits of the server that serves the agent's services, streams beside gRPC. Default none.</summary>
    public Action<BackchannelHostOptions>? ConfigureHost { get; set; }
}
