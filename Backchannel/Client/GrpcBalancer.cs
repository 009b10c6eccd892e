namespace Backchannel;

/// <summary>
/// grpc-dotnet's balancer, which GrpcChannel puts on a <see cref="SocketsHttpHandler"/> by itself: it connects sockets to the server's own
/// address, past any proxy, and fails on the connection to the proxy, which it does not expect.
/// </summary>
internal static class GrpcBalancer
{
    // What GrpcChannel looks for in the handler's properties. Then it leaves connecting to the handler, as it does for an HttpClientHandler.
    private const string Disabled = "__GrpcLoadBalancingDisabled";

    // No host: which ones the handler will be used for is not known yet.
    private static readonly Uri[] Destinations = [new("https://backchannel.invalid"), new("http://backchannel.invalid")];

    /// <summary>Switches the balancer off where <paramref name="handler"/> connects through a proxy, unless the property is set.</summary>
    public static void LeaveToProxy(SocketsHttpHandler handler)
    {
        if (HasProxy(handler))
        {
            handler.Properties.TryAdd(Disabled, true);
        }
    }

    private static bool HasProxy(SocketsHttpHandler handler)
    {
        if (!handler.UseProxy)
        {
            return false;
        }

        var proxy = handler.Proxy ?? HttpClient.DefaultProxy;
        return Destinations.Any(destination => !proxy.IsBypassed(destination) && proxy.GetProxy(destination) is not null);
    }
}
