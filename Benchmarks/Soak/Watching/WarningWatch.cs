using Microsoft.Extensions.Logging;

namespace Benchmarks.Soak.Watching;

/// <summary>What the engine warns of must not happen here.</summary>
internal sealed class WarningWatch(FirstFailure failure) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            failure.Report($"the engine has logged: {formatter(state, exception)} {exception}");
        }
    }
}
