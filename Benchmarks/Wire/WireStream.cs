using System.Buffers.Binary;

namespace Benchmarks.Wire;

/// <summary>One stream of a measurement, as the fastest public face of its implementation gives it. One reader and one writer at a time.</summary>
internal abstract class WireStream : IAsyncDisposable
{
    /// <summary>The implementation's own object, for those who count what it holds.</summary>
    public abstract object Handle { get; }

    /// <summary>Writes as a user of a <see cref="Stream"/> does: what is written is on its way.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>0 at the end.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer);

    /// <summary>Reads so many bytes and drops them.</summary>
    /// <exception cref="EndOfStreamException">The stream ended before.</exception>
    public abstract Task DiscardAsync(long count);

    /// <summary>Sends back what comes, until the end.</summary>
    public abstract Task EchoAsync();

    /// <summary>Nothing more will be written; reading goes on.</summary>
    public abstract ValueTask CompleteWritesAsync();

    /// <summary>Closes the stream: what was written arrives.</summary>
    public abstract ValueTask DisposeAsync();

    /// <exception cref="EndOfStreamException">The stream ended before.</exception>
    public async ValueTask ReadExactlyAsync(Memory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var read = await ReadAsync(buffer);
            if (read == 0)
            {
                throw new EndOfStreamException($"The stream ended {buffer.Length} bytes too early.");
            }

            buffer = buffer[read..];
        }
    }

    /// <summary>Asks the server for so many bytes, and reads them.</summary>
    public async Task GetAsync(long count)
    {
        await WriteAsync(WireCommand.Header(WireCommand.Get, count));
        await DiscardAsync(count);
    }

    /// <summary>Sends so many bytes in pieces, until the server says that it has read all.</summary>
    /// <exception cref="WireException">It has read another number of them.</exception>
    public async Task SendAsync(long count, int piece)
    {
        await WriteAsync(WireCommand.Header(WireCommand.Send, count));
        var buffer = new byte[piece];
        for (var left = count; left > 0;)
        {
            var size = (int)Math.Min(left, piece);
            await WriteAsync(buffer.AsMemory(0, size));
            left -= size;
        }

        var answer = new byte[sizeof(long)];
        await ReadExactlyAsync(answer);
        if (BinaryPrimitives.ReadInt64BigEndian(answer) is var received && received != count)
        {
            throw new WireException($"{count} bytes were sent, and the server answered that it had read {received}.");
        }
    }
}
