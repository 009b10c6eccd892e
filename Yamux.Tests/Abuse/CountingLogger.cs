using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Abuse;

/// <summary>Counts the lines of one session, at every level, and keeps none: what is kept would be measured with the session.</summary>
internal sealed class CountingLogger : ILogger
{
    private int _lines;
    private int _warnings;

    public int Lines => Volatile.Read(ref _lines);

    public int Warnings => Volatile.Read(ref _warnings);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Interlocked.Increment(ref _lines);
        if (logLevel >= LogLevel.Warning)
        {
            Interlocked.Increment(ref _warnings);
        }
    }
}
