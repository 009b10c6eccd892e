namespace Benchmarks.Plots;

/// <summary>A line of a <see cref="LineChart"/>: the values of one implementation, by rising X.</summary>
internal sealed record Series(string Name, IReadOnlyList<Point> Points);
