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
}
