using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace Backchannel.Tests.Kit;

/// <summary>A program of this repository as a process: <c>dotnet NAME.dll …</c>. Disposal kills it.</summary>
internal sealed class ProgramProcess : IAsyncDisposable
{
    private const int TerminateSignal = 15;

    private readonly Process _process;
    private readonly Task<string> _errors;

    /// <param name="name">The program. The project file says where it is, as NAMEPath.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="environment">Variables that differ from ours.</param>
    /// <param name="folder">Where it runs; null: where we do.</param>
    public ProgramProcess(string name, string[] arguments, IEnumerable<KeyValuePair<string, string?>>? environment = null, string? folder = null)
    {
        var path = typeof(ProgramProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == $"{name}Path").Value!;
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (variable, value) in environment ?? [])
        {
            start.Environment[variable] = value;
        }

        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>As Ctrl-C does, but for background jobs too, which ignore that.</summary>
    public void Terminate() => Assert.Equal(0, Kill(_process.Id, TerminateSignal));

    /// <summary>The next line of its output; null at the end.</summary>
    public Task<string?> ReadLineAsync() => _process.StandardOutput.ReadLineAsync().Guarded();

    /// <summary>All that it prints as errors, at its end.</summary>
    public Task<string> ErrorsAsync() => _errors.Guarded();

    /// <summary>The rest of the first line with this beginning; lines before it are passed over.</summary>
    public async Task<string> ReadLineAsync(string beginning)
    {
        while (await ReadLineAsync() is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return line[beginning.Length..];
            }
        }

        Assert.Fail(await ErrorsAsync());
        return "";
    }

    /// <summary>Waits for the process to end.</summary>
    public async Task<ProgramResult> EndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().Guarded();
        await _process.WaitForExitAsync().Guarded();
        return new ProgramResult(_process.ExitCode, output, await ErrorsAsync());
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
