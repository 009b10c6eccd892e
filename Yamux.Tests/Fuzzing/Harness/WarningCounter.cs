using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Fuzzing;

/// <summary>A peer must not be able to fill the log, and nothing that it does is worth a warning, but that it cuts short the closing of a session.</summary>
internal sealed class WarningCounter : ILogger
{
    private const int MostLines = 40;
    private int _lines;

    public string? Warning { get; private set; }

    /// <summary>What streams could not send when they ended is told once for each of them, and is not counted.</summary>
    public bool IsFlooded => Volatile.Read(ref _lines) > MostLines;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name != "OutputLost")
        {
            Interlocked.Increment(ref _lines);
        }

        if (logLevel >= LogLevel.Warning && eventId.Name != "CloseGivenUp")
        {
            Warning = $"{formatter(state, exception)} {exception}";
        }
    }
}
