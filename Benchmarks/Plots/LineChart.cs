using ScottPlot;

namespace Benchmarks.Plots;

/// <summary>How a figure changes with another: a line for each implementation, both axes logarithmic.</summary>
internal sealed record LineChart(string Title, string XLabel, string YLabel, IReadOnlyList<Series> Series)
{
    private const int Width = 900;
    private const int Height = 560;

    /// <summary>Writes <c>NAME.png</c> and <c>NAME.svg</c> into a folder.</summary>
    public void Save(string folder, string name)
    {
        var points = Series.SelectMany(series => series.Points).Where(point => point is { X: > 0, Y: > 0 }).ToList();
        if (points.Count == 0)
        {
            return;
        }

        using var plot = new Plot();
        plot.Title(Title);
        plot.XLabel(XLabel);
        plot.YLabel(YLabel);
        foreach (var series in Series)
        {
            var shown = series.Points.Where(point => point is { X: > 0, Y: > 0 }).ToList();
            var line = plot.Add.Scatter(shown.Select(point => LogAxis.Of(point.X)).ToArray(), shown.Select(point => LogAxis.Of(point.Y)).ToArray());
            line.Color = Palette.ColorOf(series.Name);
            line.LegendText = series.Name;
            line.LineWidth = 2;
            line.MarkerSize = 8;
        }

        Frame(points.Select(point => point.X), plot.Axes.Bottom, margin: 1.2);
        Frame(points.Select(point => point.Y), plot.Axes.Left, margin: 1.5);
        plot.ShowLegend(Edge.Right);
        ChartFile.Save(plot, folder, name, Width, Height);
    }

    private static void Frame(IEnumerable<double> values, IAxis axis, double margin)
    {
        var (min, max) = values.Aggregate((Min: double.MaxValue, Max: 0.0), (range, value) => (Math.Min(range.Min, value), Math.Max(range.Max, value)));
        LogAxis.Apply(axis, min / margin, max * margin);
    }
}
