using System.Net.Sockets;

namespace Interop.Tests.JavaScript;

/// <summary>A socket that notes what goes over it. To the engine it is a socket like any other: what is tested is what users run.</summary>
internal sealed class RecordingStream(Socket socket, FrameLog log) : NetworkStream(socket, ownsSocket: true)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await base.ReadAsync(buffer, cancellationToken);
        log.OnReceived(buffer.Span[..count]);
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        log.OnSent(buffer.Span);
        return base.WriteAsync(buffer, cancellationToken);
    }
}
