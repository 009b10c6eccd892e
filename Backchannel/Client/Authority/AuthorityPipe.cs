using System.IO.Pipelines;

namespace Backchannel;

/// <summary>A transport whose input is filtered.</summary>
internal sealed class AuthorityPipe(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input => input;

    public PipeWriter Output => output;
}
