using System.IO.Pipelines;

namespace Yamux.Tests.Fuzzing;

/// <summary>The connection of a session that is fuzzed.</summary>
internal sealed class FuzzTransport(byte[] input) : IDuplexPipe
{
    public FuzzReader Reader { get; } = new(input);

    public FuzzWriter Writer { get; } = new();

    PipeReader IDuplexPipe.Input => Reader;

    PipeWriter IDuplexPipe.Output => Writer;
}
