using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;

namespace Benchmarks.Wire.Raw;

/// <summary>A connection that is one stream.</summary>
internal sealed class RawStream(Stream connection) : WireStream
{
    public override object Handle => connection;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => connection.WriteAsync(bytes);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer) => connection.ReadAsync(buffer);

    public override async Task DiscardAsync(long count)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(WireCommand.LargestPiece);
        while (count > 0)
        {
            var read = await connection.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)));
            if (read == 0)
            {
                throw new EndOfStreamException($"The connection ended {count} bytes too early.");
            }

            count -= read;
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    public override async Task EchoAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(WireCommand.LargestPiece);
        while (await connection.ReadAsync(buffer) is > 0 and var read)
        {
            await connection.WriteAsync(buffer.AsMemory(0, read));
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    public override ValueTask CompleteWritesAsync()
    {
        if (connection is SslStream encrypted)
        {
            return new ValueTask(encrypted.ShutdownAsync());
        }

        ((NetworkStream)connection).Socket.Shutdown(SocketShutdown.Send);
        return default;
    }

    public override ValueTask DisposeAsync() => connection.DisposeAsync();
}
