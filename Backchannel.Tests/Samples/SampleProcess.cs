using System.Diagnostics;
using System.Reflection;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>A sample as a process: <c>dotnet NAME.dll …</c>.</summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private SampleProcess(string path, string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public static SampleProcess Start(string name, params string[] arguments) => new(
        typeof(SampleProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == $"{name}Path").Value!, arguments);

    /// <summary>The rest of the first line with this beginning; lines before it are passed over.</summary>
    public async Task<string> ReadLineAsync(string beginning)
    {
        while (await _process.StandardOutput.ReadLineAsync().Guarded() is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return line[beginning.Length..];
            }
        }

        Assert.Fail(await _errors.Guarded());
        return "";
    }

    /// <summary>Waits for the process to end.</summary>
    public async Task<VotingResult> EndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().Guarded();
        await _process.WaitForExitAsync().Guarded();
        return new VotingResult(_process.ExitCode, output, await _errors.Guarded());
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
}
