namespace Yamux.Tests.Kit;

/// <summary>The two ends of a connection, each with a fault or none.</summary>
public static class FaultyPair
{
    public static async Task<(IFaultyEnd First, IFaultyEnd Second)> ConnectAsync(PairTransport transport, TransportFault? firstFault, TransportFault? secondFault)
    {
        if (transport == PairTransport.Pipes)
        {
            var (one, other) = DuplexPipe.CreatePair();
            return (new FaultyTransport(one, firstFault), new FaultyTransport(other, secondFault));
        }

        var (first, second) = await Loopback.ConnectAsync();
        if (transport == PairTransport.Sockets)
        {
            return (new FaultyNetworkStream(first, firstFault), new FaultyNetworkStream(second, secondFault));
        }

        var (client, server) = (new FaultySslStream(first, firstFault), new FaultySslStream(second, secondFault));
        await TlsLoopback.SecureAsync(client, server);
        return (client, server);
    }
}
