namespace Benchmarks.Grpc;

/// <summary>What lies between the calls and the TCP connection.</summary>
internal enum GrpcLayer
{
    /// <summary>Nothing: Kestrel and SocketsHttpHandler as they are.</summary>
    Plain,

    /// <summary>A listener mux on the server's endpoint; the client is plain.</summary>
    Mux,

    /// <summary>A multiplexed connection: the client calls the server.</summary>
    Yamux,

    /// <summary>A multiplexed connection: the server calls the client.</summary>
    Backchannel,
}
