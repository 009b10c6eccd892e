using Backchannel.Tests.Kit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>What a command has printed, and its exit code.</summary>
internal sealed record BenchmarksResult(int ExitCode, string Output, string Error) : ProgramResult(ExitCode, Output, Error)
{
    public string LastLine => Lines[^1];
}
