using Microsoft.Extensions.Logging;

namespace Backchannel;

/// <summary>
/// Logs of one connection, each line in its scope. What serves a connection runs without the context of whoever has begun it, or for other connections too, so that a scope which
/// was begun with the connection would be lost, or be another's.
/// </summary>
internal sealed class ConnectionLogger(ILogger logger, ConnectionScope scope) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!logger.IsEnabled(logLevel))
        {
            return;
        }

        using (logger.BeginScope(scope))
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
