using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Kit;

/// <summary>An end of a connection of two sockets, as the engine reads and writes it: it knows a <see cref="NetworkStream"/> as such.</summary>
public sealed class FaultyNetworkStream(NetworkStream inner, TransportFault? fault) : NetworkStream(inner.Socket, ownsSocket: true), IFaultyEnd
{
    private readonly FaultyFlow _flow = new(fault);

    public TransportFault? Fault => fault;

    public Task Reached => _flow.Reached;

    public FrameTally Received => _flow.Received(IsReleased);

    public long Written => _flow.Written;

    public bool HasEnded => _flow.HasEnded;

    public bool IsReleased => Socket.SafeHandle.IsClosed;

    public YamuxSession CreateSession(YamuxRole role, YamuxOptions options, ILogger logger) => YamuxSession.Create(this, role, options, logger);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => _flow.ReadAsync(piece => base.ReadAsync(piece, cancellationToken), buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _flow.WriteAsync(piece => base.WriteAsync(piece, cancellationToken), buffer, cancellationToken);
}
