namespace Benchmarks.Wire;

/// <summary>The far end of a measurement did not do what the wire of the benchmark demands.</summary>
internal sealed class WireException(string message) : Exception(message);
