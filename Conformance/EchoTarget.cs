using System.Net.Sockets;
using Yamux;

namespace Conformance;

/// <summary>Our engine as a target: with its default options it accepts streams, and echoes each until the peer's FIN.</summary>
internal sealed class EchoTarget(YamuxRole role)
{
    /// <summary>Serves one connection until its session has ended. What should not happen is told, and is no reason to leave the others.</summary>
    public async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await ServeSessionAsync(socket, cancellationToken);
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync($"a connection was not served to its end: {error}");
        }
    }

    private async Task ServeSessionAsync(Socket socket, CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        await using var session = YamuxSession.Create(new NetworkStream(socket, ownsSocket: true), role);
        await session.EchoAsync(cancellationToken);
    }
}
