using System.IO.Pipelines;

namespace Yamux.IO;

/// <summary>A pipe of which nothing is known, as the transport of a session: completing its two sides is all that can be done to it.</summary>
internal sealed class PipeTransport(IDuplexPipe pipe) : YamuxTransport
{
    public override PipeReader Input => pipe.Input;

    public override PipeWriter Output => pipe.Output;

    // The session completes both with an error.
    public override void Abort(Exception reason)
    {
    }

    public override ValueTask DisposeAsync() => default;
}
