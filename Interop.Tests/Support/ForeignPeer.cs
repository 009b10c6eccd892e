using System.Diagnostics;
using System.Net;

namespace Interop.Tests.Support;

/// <summary>One running program in another language. It ends with its standard input, hence also with us; disposal kills it.</summary>
internal abstract class ForeignPeer : IAsyncDisposable
{
    private readonly string _name;
    private readonly Process _process;
    private readonly Task _output;
    private readonly Task _errors;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<string> _errorLines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;
    private bool _disposed;

    /// <param name="name">What messages call it.</param>
    /// <param name="executable">What to start.</param>
    /// <param name="arguments">What to start it with.</param>
    protected ForeignPeer(string name, string executable, string[] arguments)
    {
        _name = name;
        _process = Process.Start(new ProcessStartInfo(executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _output = ReadAsync(_process.StandardOutput, _lines);
        _errors = ReadAsync(_process.StandardError, _errorLines);
    }

    /// <summary>What the program has printed so far.</summary>
    protected IReadOnlyList<string> Output
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>What the program has printed as errors so far.</summary>
    protected IReadOnlyList<string> Errors
    {
        get
        {
            lock (_lock)
            {
                return [.. _errorLines];
            }
        }
    }

    /// <summary>The address that the program listens on.</summary>
    public async Task<IPEndPoint> AddressAsync() => IPEndPoint.Parse(await RestOfLineAsync("listening on "));

    /// <summary>The rest of the first line with this beginning, printed already or to come.</summary>
    public Task<string> RestOfLineAsync(string beginning) => FindAsync(_lines, beginning).Guarded();

    /// <summary>The same of what it prints as errors.</summary>
    public Task<string> RestOfErrorLineAsync(string beginning) => FindAsync(_errorLines, beginning).Guarded();

    /// <summary>The program goes away as in a crash: no more bytes, no goodbye.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Tells the program to end.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Waits for the program to end of itself, having found nothing wrong.</summary>
    public async Task SucceedAsync()
    {
        await _process.WaitForExitAsync().Guarded();
        await Task.WhenAll(_output, _errors).Guarded();
        Assert.True(_process.ExitCode == 0, $"The {_name} peer ended with {_process.ExitCode}.\n{Transcript()}");
    }

    /// <summary>Waits for the program to end of itself. Its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan patience)
    {
        await _process.WaitForExitAsync().WaitAsync(patience);
        await Task.WhenAll(_output, _errors).Guarded();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await Task.WhenAll(_output, _errors);
        TestContext.Current.TestOutputHelper?.WriteLine(Transcript());
        _process.Dispose();
    }

    private async Task<string> FindAsync(List<string> lines, string beginning)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (lines.Find(line => line.StartsWith(beginning, StringComparison.Ordinal)) is { } found)
                {
                    return found[beginning.Length..];
                }

                Assert.False(_ended, $"The {_name} peer ended without a line that begins with '{beginning}'.\n{Transcript()}");
                changed = _changed.Task;
            }

            await changed;
        }
    }

    private async Task ReadAsync(StreamReader reader, List<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            Change(() => lines.Add(line));
        }

        if (ReferenceEquals(lines, _lines))
        {
            Change(() => _ended = true);
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            change();
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private string Transcript()
    {
        lock (_lock)
        {
            return string.Join('\n', [$"--- {_name} peer {string.Join(' ', _process.StartInfo.ArgumentList)}", .. _lines.TakeLast(50), .. _errorLines.TakeLast(50)]);
        }
    }
}
