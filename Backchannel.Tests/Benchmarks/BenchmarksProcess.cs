using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Backchannel.Tests.Kit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>The benchmarks as a process: <c>dotnet Benchmarks.dll …</c>.</summary>
internal sealed class BenchmarksProcess : IAsyncDisposable
{
    private const int TerminateSignal = 15;

    private static readonly string Path = typeof(BenchmarksProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "BenchmarksPath").Value!;

    private readonly Process _process;
    private readonly Task<string> _errors;

    public BenchmarksProcess(params string[] arguments)
        : this([], arguments)
    {
    }

    private BenchmarksProcess(IEnumerable<KeyValuePair<string, string?>> environment, string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<BenchmarksResult> RunAsync(params string[] arguments)
    {
        await using var process = new BenchmarksProcess(arguments);
        return await process.EndAsync();
    }

    /// <summary>The same where no other program can be found.</summary>
    public static async Task<BenchmarksResult> RunWithoutToolsAsync(params string[] arguments)
    {
        await using var process = new BenchmarksProcess([KeyValuePair.Create("PATH", (string?)"")], arguments);
        return await process.EndAsync();
    }

    public Task<string?> ReadLineAsync() => _process.StandardOutput.ReadLineAsync().Guarded();

    /// <summary>As Ctrl-C does, but for background jobs too, which ignore that.</summary>
    public void Terminate() => Xunit.Assert.Equal(0, Kill(_process.Id, TerminateSignal));

    /// <summary>Waits for the process to end.</summary>
    public async Task<BenchmarksResult> EndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().Guarded();
        await _process.WaitForExitAsync().Guarded();
        return new BenchmarksResult(_process.ExitCode, output, await _errors.Guarded());
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
        return default;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
