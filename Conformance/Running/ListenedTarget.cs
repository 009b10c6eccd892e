using System.Net;
using System.Net.Sockets;

namespace Conformance.Running;

/// <summary>A target that dials, again and again.</summary>
internal sealed class ListenedTarget : ITarget
{
    private readonly TimeSpan _patience;
    private readonly Socket _listener;

    private ListenedTarget(Socket listener, TimeSpan patience)
    {
        _listener = listener;
        _patience = patience;
    }

    public bool TakesManyConnections => false;

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <param name="patience">How long the target may take to dial.</param>
    /// <exception cref="TargetUnreachableException">One cannot listen there.</exception>
    public static async Task<ListenedTarget> ListenAsync(DnsEndPoint endPoint, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            var address = (await Dns.GetHostAddressesAsync(endPoint.Host, cancellationToken))[0];
            var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(address, endPoint.Port));
            listener.Listen();
            return new ListenedTarget(listener, patience);
        }
        catch (SocketException error)
        {
            throw new TargetUnreachableException($"cannot listen on {endPoint.Host}:{endPoint.Port}: {error.Message}. Choose another address; port 0 takes a free one.");
        }
    }

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(_patience);
        try
        {
            return await _listener.AcceptAsync(time.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TargetUnreachableException($"no target dialled {EndPoint} within {_patience.TotalSeconds:0.###} s. It must dial again whenever its connection has ended.");
        }
    }

    public void Dispose() => _listener.Dispose();
}
