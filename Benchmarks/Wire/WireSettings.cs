namespace Benchmarks.Wire;

/// <summary>What both ends of a measurement are set to.</summary>
/// <param name="Window">The receive window of each stream, in bytes; null for the default of the implementation.</param>
/// <param name="MaxWindow">To how many bytes it may grow where it grows; null for the default of the implementation.</param>
/// <param name="Tls">Whether connections are encrypted.</param>
internal sealed record WireSettings(int? Window, int? MaxWindow, bool Tls);
