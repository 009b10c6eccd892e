using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Yamux.Tests.Kit;

/// <summary>Keeps what is logged. A test that does not expect a warning fails when there is one.</summary>
public sealed class CollectingLogger : ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _entries = new();

    public IEnumerable<string> Lines => _entries.Select(entry => entry.Text);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        _entries.Enqueue((logLevel, $"{eventId.Name}: {formatter(state, exception)} {exception}"));
    }

    public void AssertWarned(string text)
        => Assert.Contains(_entries, entry => entry.Level == LogLevel.Warning && entry.Text.Contains(text, StringComparison.Ordinal));

    public void AssertNoWarnings()
        => Assert.Empty(_entries.Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Text));
}
