using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using Benchmarks.CommandLine;

namespace Benchmarks.Micro;

/// <summary>The command <c>micro</c>.</summary>
internal static class MicroCommand
{
    private const string InProcess = "--inProcess";

    public static Command Create()
    {
        var command = new Command(
            "micro",
            "Measures single steps of the engine with BenchmarkDotNet: time, and bytes allocated. Its options follow, such as --filter '*Header*', --job short or --list flat. Without any, all run.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(parsed => Run(parsed.UnmatchedTokens));
        return command;
    }

    private static int Run(IReadOnlyList<string> arguments)
    {
#if DEBUG
        throw new ExplainedException("micro: this is a Debug build, which says nothing about speed. Use dotnet run -c Release --project Benchmarks -- micro.");
#else
        // Out of process, BenchmarkDotNet would build a project of its own within this repository, with its settings.
        string[] all = arguments.Count == 0 ? [InProcess, "--filter", "*"] : [InProcess, .. arguments];
        var config = DefaultConfig.Instance.WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "micro"));
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(all, config).ToList();
        var listed = arguments.Contains("--list");
        if (summaries.Count == 0 && !listed)
        {
            throw new ExplainedException($"micro {string.Join(' ', arguments)}: no benchmark was run. See micro --list flat.");
        }

        return summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success))
            ? ExitCode.Failure
            : ExitCode.Success;
#endif
    }
}
