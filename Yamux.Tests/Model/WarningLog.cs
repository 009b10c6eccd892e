using Microsoft.Extensions.Logging;

namespace Yamux.Tests.Model;

/// <summary>Keeps the first warning: two sessions of this engine give each other no cause for any, but for what a closing one gives up when its connection ends before.</summary>
internal sealed class WarningLog : ILogger
{
    public string? First { get; private set; }

    /// <summary>What a session has given up that was being closed.</summary>
    public string? GivenUp { get; private set; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = $"{formatter(state, exception)} {exception}";
        if (eventId.Name == "CloseGivenUp")
        {
            GivenUp ??= text;
        }
        else
        {
            First ??= text;
        }
    }
}
