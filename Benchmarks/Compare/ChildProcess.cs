using System.Diagnostics;
using System.Text;

namespace Benchmarks.Compare;

/// <summary>A process of a measurement, and what it prints. It is killed when it is disposed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>How much longer than it should take anything may take: then it hangs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan LongestExit = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly ErrorTail _errors;

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
        _errors = new ErrorTail(_process.StandardError);
    }

    /// <summary>This program, with another command.</summary>
    public static ChildProcess Own(params IEnumerable<string> arguments)
    {
        var self = Contestant.Own(WorkloadCatalog.Ours);
        return new ChildProcess(self.Executable, [.. self.Prefix, .. arguments]);
    }

    /// <summary>As the system knows it.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Tells it something.</summary>
    /// <exception cref="IOException">It has ended.</exception>
    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The next line that it prints; null at its end.</summary>
    /// <param name="expected">How long it should take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MeasurementException">It took longer than that and <see cref="Patience"/>.</exception>
    public Task<string?> ReadLineAsync(TimeSpan expected, CancellationToken cancellationToken)
        => LimitAsync(async token => await _process.StandardOutput.ReadLineAsync(token), expected, cancellationToken);

    /// <summary>The next line that it prints.</summary>
    /// <inheritdoc cref="ReadLineAsync" path="/param"/>
    /// <exception cref="MeasurementException">There is none: it has ended. Or it took too long.</exception>
    public async Task<string> ReadAnswerAsync(TimeSpan expected, CancellationToken cancellationToken)
        => await ReadLineAsync(expected, cancellationToken) ?? throw await FailureAsync();

    /// <summary>Tells it something, and has its answer.</summary>
    /// <inheritdoc cref="ReadAnswerAsync"/>
    public async Task<string> AskAsync(string line, TimeSpan expected, CancellationToken cancellationToken)
    {
        try
        {
            await WriteLineAsync(line);
        }
        catch (IOException)
        {
            // It has ended, and says why to whoever reads.
        }

        return await ReadAnswerAsync(expected, cancellationToken);
    }

    /// <summary>All that it prints, once it has ended well.</summary>
    /// <inheritdoc cref="ReadLineAsync" path="/param"/>
    /// <exception cref="MeasurementException">
    /// It ended otherwise: says with what, and what it complained of. Or it took longer than <paramref name="expected"/> and <see cref="Patience"/>.
    /// </exception>
    public async Task<string> SucceedAsync(TimeSpan expected, CancellationToken cancellationToken)
    {
        var output = await LimitAsync(ReadToEndAsync, expected, cancellationToken);
        return _process.ExitCode == 0 ? output : throw await FailureAsync();

        async Task<string> ReadToEndAsync(CancellationToken token)
        {
            var text = await _process.StandardOutput.ReadToEndAsync(token);
            await _process.WaitForExitAsync(token);
            return text;
        }
    }

    /// <summary>For a process that should not have ended, and has, or has closed its output, which it does before it ends.</summary>
    public async Task<MeasurementException> FailureAsync()
    {
        using var limit = new CancellationTokenSource(LongestExit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        return new MeasurementException($"exit code {_process.ExitCode}: {await _errors.ReadAsync()}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _errors.ReadAsync();
        _process.Dispose();
    }

    private static async Task<T> LimitAsync<T>(Func<CancellationToken, Task<T>> run, TimeSpan expected, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(expected + Patience);
        try
        {
            return await run(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeasurementException($"it did not end within {(expected + Patience).TotalSeconds:0} s");
        }
    }
}
