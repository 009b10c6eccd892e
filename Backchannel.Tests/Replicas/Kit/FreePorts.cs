using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Backchannel.Tests.Replicas.Kit;

/// <summary>Ports of loopback for what must say before it listens where it will: of those that the system gives to nobody of itself, and none twice in one process.</summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Count = 10_000;

    private static int _next = RandomNumberGenerator.GetInt32(Count);

    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }
}
