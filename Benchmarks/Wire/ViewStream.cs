namespace Benchmarks.Wire;

/// <summary>A stream of which one has nothing but a <see cref="Stream"/>.</summary>
internal abstract class ViewStream(Stream view) : WireStream
{
    public sealed override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => view.WriteAsync(bytes);

    public sealed override ValueTask<int> ReadAsync(Memory<byte> buffer) => view.ReadAsync(buffer);

    public sealed override async Task DiscardAsync(long count)
    {
        var buffer = new byte[WireCommand.LargestPiece];
        while (count > 0)
        {
            var read = await view.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)));
            if (read == 0)
            {
                throw new EndOfStreamException($"The stream ended {count} bytes too early.");
            }

            count -= read;
        }
    }

    public sealed override Task EchoAsync() => view.CopyToAsync(view);
}
