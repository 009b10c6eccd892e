using System.Diagnostics;
using System.Reflection;
using Backchannel.Tests.Kit;
using Xunit;

namespace Backchannel.Tests.Samples;

/// <summary>The sample as a process: <c>dotnet Voting.dll …</c>.</summary>
internal sealed class VotingProcess : IAsyncDisposable
{
    private static readonly string Path = typeof(VotingProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "VotingPath").Value!;

    private readonly Process _process;
    private readonly Task<string> _errors;

    private VotingProcess(string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>Where a server listens.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Runs the sample to its end.</summary>
    public static async Task<VotingResult> RunAsync(params string[] arguments)
    {
        await using var process = new VotingProcess(arguments);
        return await process.EndAsync();
    }

    /// <summary>Starts a server, and waits until it is ready.</summary>
    public static async Task<VotingProcess> StartServerAsync(string listen, params string[] arguments)
    {
        const string Ready = "listening on ";
        var server = new VotingProcess(["server", "--listen", listen, .. arguments]);
        var line = await server._process.StandardOutput.ReadLineAsync().Guarded();
        if (line is null)
        {
            Assert.Fail(await server._errors.Guarded());
        }

        Assert.StartsWith(Ready, line, StringComparison.Ordinal);
        server.Address = line[Ready.Length..];
        return server;
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
