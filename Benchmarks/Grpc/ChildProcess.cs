using System.Diagnostics;
using Benchmarks.CommandLine;

namespace Benchmarks.Grpc;

/// <summary>This program once more, with a command of its own. It is killed when it is disposed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly string _command;
    private readonly Process _process;
    private readonly Task<string> _errors;

    public ChildProcess(string command, params string[] arguments)
    {
        _command = command;

        // Run as `dotnet Benchmarks.dll` the process is dotnet; run as Benchmarks it is the program itself.
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this process is not known.");
        string[] program = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(ChildProcess).Assembly.Location] : [];
        _process = Process.Start(new ProcessStartInfo(self, [.. program, command, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public Task WriteLineAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    /// <exception cref="ExplainedException">The process has ended instead; the message is its own.</exception>
    public async Task<string> ReadLineAsync()
        => await _process.StandardOutput.ReadLineAsync()
            ?? throw new ExplainedException($"The process of {_command} ended early: {(await _errors).Trim()}");

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
