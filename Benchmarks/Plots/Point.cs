namespace Benchmarks.Plots;

/// <summary>One measured value of a <see cref="Series"/>.</summary>
internal readonly record struct Point(double X, double Y);
