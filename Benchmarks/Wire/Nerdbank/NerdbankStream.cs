using Nerdbank.Streams;

namespace Benchmarks.Wire.Nerdbank;

internal sealed class NerdbankStream(MultiplexingStream.Channel channel) : DuplexPipeStream(channel, channel.AsStream())
{
    // A channel ends once both sides of it are complete at both ends; its Dispose may lose what was written.
    public override async ValueTask DisposeAsync()
    {
        await Pipe.Output.CompleteAsync();
        await Pipe.Input.CompleteAsync();
    }
}
