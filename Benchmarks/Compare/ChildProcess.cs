using System.Diagnostics;
using System.Text;

namespace Benchmarks.Compare;

/// <summary>A process of a measurement, and what it prints. It is killed when it is disposed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    public ChildProcess(string executable, IEnumerable<string> arguments)
    {
        // While we hold its input open, a server knows that we are there.
        _process = Process.Start(new ProcessStartInfo(executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>As the system knows it.</summary>
    public int Id => _process.Id;

    /// <summary>Tells it something.</summary>
    /// <exception cref="IOException">It has ended.</exception>
    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The next line that it prints; null at its end.</summary>
    public ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken) => _process.StandardOutput.ReadLineAsync(cancellationToken);

    /// <summary>All that it prints, once it has ended well.</summary>
    /// <exception cref="MeasurementException">It ended otherwise; says with what, and what it complained of.</exception>
    public async Task<string> SucceedAsync(CancellationToken cancellationToken)
    {
        var output = await _process.StandardOutput.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode == 0 ? output : throw await FailureAsync();
    }

    /// <summary>For a process that has ended and should not have.</summary>
    public async Task<MeasurementException> FailureAsync()
    {
        await _process.WaitForExitAsync();
        return new MeasurementException($"exit code {_process.ExitCode}: {(await _errors).Trim()}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }
}
