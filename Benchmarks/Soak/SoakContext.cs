using System.Collections.Concurrent;
using Benchmarks.Soak.Streams;
using Benchmarks.Soak.Watching;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Soak;

/// <summary>What all parts of a soak share.</summary>
internal sealed class SoakContext(SoakSettings settings) : IDisposable
{
    public SoakSettings Settings => settings;

    public Totals Totals { get; } = new();

    public FirstFailure Failure { get; } = new();

    public PauseGate Gate { get; } = new();

    public ILogger Logger => new WarningWatch(Failure);

    public Leftovers Leftovers { get; } = new();

    /// <summary>The ends of streams that are at work, for the watch over their progress.</summary>
    public ConcurrentDictionary<StreamEnd, bool> Working { get; } = new();

    public void Dispose() => Gate.Dispose();
}
