using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Backchannel.Tests.Kit;

/// <summary>Collects what is logged; a test looks at it, or asserts that nothing bad is there.</summary>
internal sealed class TestLog : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider? _scopes;

    public ConcurrentQueue<(LogLevel Level, string Category, EventId Event, string Message, IReadOnlyDictionary<string, object?> Scope)> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    /// <summary>Fails on any error of ours, and on any of Kestrel's: a connection that goes must not look like a bug.</summary>
    public void AssertNoErrors()
        => Xunit.Assert.DoesNotContain(Lines, line => line.Level >= LogLevel.Error && !line.Category.StartsWith("Grpc", StringComparison.Ordinal));

    // What the scopes say together; the innermost has the last word.
    private Dictionary<string, object?> Scope()
    {
        var all = new Dictionary<string, object?>();
        _scopes?.ForEachScope(
            static (scope, all) =>
            {
                foreach (var (key, value) in scope as IEnumerable<KeyValuePair<string, object?>> ?? [])
                {
                    all[key] = value;
                }
            },
            all);
        return all;
    }

    private sealed class Logger(TestLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => log._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => log.Lines.Enqueue((logLevel, category, eventId, $"{formatter(state, exception)} {exception}", log.Scope()));
    }
}
