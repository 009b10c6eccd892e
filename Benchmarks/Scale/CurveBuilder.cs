using Benchmarks.Plots;

namespace Benchmarks.Scale;

/// <summary>A curve as it is being measured.</summary>
internal sealed class CurveBuilder(string title, string xLabel, string yLabel)
{
    private readonly List<(string Name, List<Point> Points)> _series = [];

    public void Add(string series, double x, double y)
    {
        if (_series.All(each => each.Name != series))
        {
            _series.Add((series, []));
        }

        _series.Single(each => each.Name == series).Points.Add(new Point(x, y));
    }

    public LineChart Build() => new(title, xLabel, yLabel, [.. _series.Select(each => new Series(each.Name, each.Points))]);
}
