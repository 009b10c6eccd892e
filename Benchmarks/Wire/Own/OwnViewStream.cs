using Yamux;

namespace Benchmarks.Wire.Own;

/// <summary>A stream of this engine that is read and written as a <see cref="Stream"/>, and not through its pipes.</summary>
internal sealed class OwnViewStream(YamuxStream stream) : ViewStream(stream.AsStream())
{
    public override object Handle => stream;

    public override ValueTask CompleteWritesAsync() => stream.Output.CompleteAsync();

    public override ValueTask DisposeAsync() => stream.DisposeAsync();
}
