using System.Net;
using System.Net.Sockets;

namespace Conformance.Running;

/// <summary>A target that listens.</summary>
internal sealed class DialledTarget(DnsEndPoint endPoint, TimeSpan timeout) : ITarget
{
    public bool TakesManyConnections => true;

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(timeout);
        try
        {
            await socket.ConnectAsync(endPoint.Host, endPoint.Port, time.Token);
            if (!Equals(socket.LocalEndPoint, socket.RemoteEndPoint))
            {
                return socket;
            }

            // Loopback makes this of an ephemeral port on which nobody listens.
            socket.Dispose();
            throw new TargetUnreachableException($"nobody listens on {endPoint.Host}:{endPoint.Port}. Check --connect.");
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new TargetUnreachableException($"cannot connect to {endPoint.Host}:{endPoint.Port}: {error.Message}. Check --connect, and that the target listens there.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TargetUnreachableException($"{endPoint.Host}:{endPoint.Port} did not answer within {timeout.TotalSeconds:0.###} s.");
        }
    }

    public void Dispose()
    {
    }
}
