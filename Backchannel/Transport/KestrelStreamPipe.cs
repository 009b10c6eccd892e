using System.IO.Pipelines;
using Yamux;

namespace Backchannel;

/// <summary>A yamux stream as Kestrel expects a transport to be.</summary>
internal sealed class KestrelStreamPipe(YamuxStream stream) : IDuplexPipe
{
    public PipeReader Input => stream.Input;

    public PipeWriter Output { get; } = new KestrelStreamWriter(stream.Output);
}
