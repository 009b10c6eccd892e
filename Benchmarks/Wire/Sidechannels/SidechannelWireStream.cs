using Sidechannel;

namespace Benchmarks.Wire.Sidechannels;

/// <summary>Either end of a sidechannel.</summary>
internal sealed class SidechannelWireStream(SidechannelStream channel, Func<Task>? close = null) : ViewStream(channel)
{
    public override object Handle => channel;

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
