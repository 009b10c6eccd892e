namespace Backchannel;

/// <summary>
/// grpc-dotnet's balancer, which GrpcChannel puts on a <see cref="SocketsHttpHandler"/> by itself. It connects sockets to the server's own address, past any proxy,
/// hands them on wrapped, so that nobody can close one half of them, and waits ever longer after a failure, beside whoever else does. A host has one connection: there is nothing to balance.
/// </summary>
internal static class GrpcBalancer
{
    // What GrpcChannel looks for in the handler's properties. Then it leaves connecting to the handler, as it does for an HttpClientHandler.
    private const string Disabled = "__GrpcLoadBalancingDisabled";

    /// <summary>Switches it off for the channels that use <paramref name="handler"/>, unless the property is set.</summary>
    public static void SwitchOff(SocketsHttpHandler handler) => handler.Properties.TryAdd(Disabled, true);
}
