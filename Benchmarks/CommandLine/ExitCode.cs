namespace Benchmarks.CommandLine;

/// <summary>What the process ends with; 2 is for wrong command lines.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Interrupted = 130;
}
