namespace Benchmarks.Agents;

/// <summary>How a client holds its connection.</summary>
internal enum AgentKind
{
    /// <summary>HTTP/2 as it is, over which it has made one call.</summary>
    Plain,

    /// <summary>HTTP/2 as it is, over which a server stream is open.</summary>
    PlainStream,

    /// <summary>A multiplexed connection, over which it has made one call, and can be called.</summary>
    Connected,

    /// <summary>A multiplexed connection, on which it is attached under a name.</summary>
    Attached,
}
