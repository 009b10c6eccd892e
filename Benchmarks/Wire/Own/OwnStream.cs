using Yamux;

namespace Benchmarks.Wire.Own;

internal sealed class OwnStream(YamuxStream stream) : DuplexPipeStream(stream, stream.AsStream())
{
    public override ValueTask DisposeAsync() => stream.DisposeAsync();
}
