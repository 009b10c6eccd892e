using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Model;

/// <summary>Keeps the first warning: two sessions of this engine give each other no cause for any.</summary>
internal sealed class WarningLog : ILogger
{
    public string? First { get; private set; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => First ??= $"{formatter(state, exception)} {exception}";
}
