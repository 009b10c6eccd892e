namespace Benchmarks.Compare;

/// <summary>A measurement did not come to its end.</summary>
internal sealed class MeasurementException(string message) : Exception(message);
