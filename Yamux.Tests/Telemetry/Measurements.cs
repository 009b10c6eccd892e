using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Yamux.Tests.Telemetry;

/// <summary>What was collected, as tests look at it.</summary>
public static class Measurements
{
    public static long Sum(this MetricCollector<long> collector) => collector.GetMeasurementSnapshot().Sum(measured => measured.Value);

    /// <summary>The sum of those that have this tag.</summary>
    public static long Sum(this MetricCollector<long> collector, string tag, string value)
        => collector.GetMeasurementSnapshot().Where(measured => Equals(measured.Tags[tag], value)).Sum(measured => measured.Value);

    public static T[] Values<T>(this MetricCollector<T> collector)
        where T : struct
        => [.. collector.GetMeasurementSnapshot().Select(measured => measured.Value)];

    /// <summary>The only tag of each, in order.</summary>
    public static string[] Tags(this MetricCollector<long> collector, string tag)
        => [.. collector.GetMeasurementSnapshot().Select(measured => (string)Assert.Single(measured.Tags, pair => pair.Key == tag).Value!)];
}
