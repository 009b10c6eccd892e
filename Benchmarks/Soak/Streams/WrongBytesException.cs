namespace Benchmarks.Soak.Streams;

/// <summary>What came is not what was sent.</summary>
internal sealed class WrongBytesException(string message) : Exception(message);
