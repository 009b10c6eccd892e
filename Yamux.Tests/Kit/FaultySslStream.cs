using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Kit;

/// <summary>An end of a connection of two sockets with TLS. It is the session's bytes that are counted, and cut.</summary>
public sealed class FaultySslStream(NetworkStream inner, TransportFault? fault) : SslStream(inner), IFaultyEnd
{
    private readonly FaultyFlow _flow = new(fault);
    private readonly Socket _socket = inner.Socket;

    public TransportFault? Fault => fault;

    public Task Reached => _flow.Reached;

    public FrameTally Received => _flow.Received(IsReleased);

    public long Written => _flow.Written;

    public bool HasEnded => _flow.HasEnded;

    public bool IsReleased => _socket.SafeHandle.IsClosed;

    public YamuxSession CreateSession(YamuxRole role, YamuxOptions options, ILogger logger) => YamuxSession.Create(this, role, options, logger);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => _flow.ReadAsync(piece => base.ReadAsync(piece, cancellationToken), buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _flow.WriteAsync(piece => base.WriteAsync(piece, cancellationToken), buffer, cancellationToken);
}
