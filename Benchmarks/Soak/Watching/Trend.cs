namespace Benchmarks.Soak.Watching;

/// <summary>A line through measurements that a few wild ones do not turn: the median of the slopes between any two (Theil and Sen).</summary>
internal static class Trend
{
    // The slopes are as many as its square; so many points say as much about a line as all would.
    private const int MaxPoints = 1000;

    /// <summary>By how much the values grow from the first to the last of the points, by the line.</summary>
    public static double Growth(IReadOnlyList<(double X, double Y)> all)
    {
        var points = Thin(all);
        var slopes = new List<double>();
        for (var first = 0; first < points.Count; first++)
        {
            for (var second = first + 1; second < points.Count; second++)
            {
                var distance = points[second].X - points[first].X;
                if (distance > 0)
                {
                    slopes.Add((points[second].Y - points[first].Y) / distance);
                }
            }
        }

        if (slopes.Count == 0)
        {
            return 0;
        }

        slopes.Sort();
        var median = (slopes[(slopes.Count - 1) / 2] + slopes[slopes.Count / 2]) / 2;
        return median * (points[^1].X - points[0].X);
    }

    // Evenly, with the first and the last.
    private static IReadOnlyList<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
        => points.Count <= MaxPoints
            ? points
            : [.. Enumerable.Range(0, MaxPoints).Select(index => points[(int)((long)index * (points.Count - 1) / (MaxPoints - 1))])];
}
