namespace Benchmarks.Soak.Watching;

/// <summary>Something took longer than anything may.</summary>
internal sealed class HangException(string message) : Exception(message);
