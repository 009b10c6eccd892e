using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Yamux.Tests.Telemetry;

/// <summary>A source of meters that one test has for itself.</summary>
public sealed class TestMeters : IMeterFactory
{
    private readonly ConcurrentQueue<Meter> _created = [];

    /// <summary>How many meters it was asked for.</summary>
    public int Count => _created.Count;

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options.Name, options.Version, options.Tags, scope: this);
        _created.Enqueue(meter);
        return meter;
    }

    /// <summary>Listens to an instrument from now on.</summary>
    public MetricCollector<T> Collect<T>(string instrument)
        where T : struct
        => new(this, "Yamux", instrument);

    public void Dispose() => Array.ForEach(_created.ToArray(), meter => meter.Dispose());
}
