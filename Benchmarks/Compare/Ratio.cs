namespace Benchmarks.Compare;

/// <summary>Ours relative to theirs, over all pairs.</summary>
internal sealed record Ratio(double Median, double Min, double Max)
{
    public static Ratio Of(IReadOnlyCollection<double> ratios) => new(MedianOf(ratios), ratios.Min(), ratios.Max());

    public static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
