using Sidechannel;

namespace Benchmarks.Wire.Sidechannels;

/// <summary>Either end of a sidechannel, which is a <see cref="Stream"/> and nothing else.</summary>
internal sealed class SidechannelWireStream(SidechannelStream channel, Func<Task>? close = null) : WireStream
{
    public override object Handle => channel;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => channel.WriteAsync(bytes);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer) => channel.ReadAsync(buffer);

    public override async Task DiscardAsync(long count)
    {
        var buffer = new byte[WireCommand.LargestPiece];
        while (count > 0)
        {
            var read = await channel.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)));
            if (read == 0)
            {
                throw new EndOfStreamException($"The stream ended {count} bytes too early.");
            }

            count -= read;
        }
    }

    public override Task EchoAsync() => channel.CopyToAsync(channel);

    public override ValueTask CompleteWritesAsync() => channel.CompleteWritesAsync();

    public override async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        if (close is not null)
        {
            await close();
        }
    }
}
