using Backchannel.Tests.Kit;

namespace Backchannel.Tests.Benchmarks;

/// <summary>The benchmarks as a process: <c>dotnet Benchmarks.dll …</c>.</summary>
internal sealed class BenchmarksProcess : IAsyncDisposable
{
    private readonly ProgramProcess _process;

    public BenchmarksProcess(params string[] arguments)
        : this([], arguments)
    {
    }

    private BenchmarksProcess(IEnumerable<KeyValuePair<string, string?>> environment, string[] arguments)
    {
        _process = new ProgramProcess("Benchmarks", arguments, environment);
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

    public Task<string?> ReadLineAsync() => _process.ReadLineAsync();

    /// <summary>As Ctrl-C does, but for background jobs too, which ignore that.</summary>
    public void Terminate() => _process.Terminate();

    /// <summary>Waits for the process to end.</summary>
    public async Task<BenchmarksResult> EndAsync()
    {
        var (exitCode, output, error) = await _process.EndAsync();
        return new BenchmarksResult(exitCode, output, error);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
