namespace Benchmarks.Soak.Watching;

/// <summary>What there was at rest.</summary>
/// <param name="Opened">How many streams had been opened by then.</param>
/// <param name="Allocated">How many bytes had been allocated by then.</param>
/// <param name="Vitals">What the process held.</param>
internal readonly record struct Sample(long Opened, long Allocated, Vitals Vitals);
