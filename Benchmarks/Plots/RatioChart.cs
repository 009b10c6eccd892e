using System.Globalization;
using ScottPlot;

namespace Benchmarks.Plots;

/// <summary>Ours relative to each peer's, a group of bars for each workload; 1 is as fast as theirs.</summary>
internal sealed record RatioChart(string Title, IReadOnlyList<RatioBar> Bars)
{
    private const int Height = 620;
    private const int WidthPerBar = 36;
    private const int WidthOfFrame = 260;
    private const double Gap = 1;

    /// <summary>Writes <c>NAME.png</c> and <c>NAME.svg</c> into a folder.</summary>
    public void Save(string folder, string name)
    {
        var shown = Bars.Where(bar => bar.Min > 0).ToList();
        if (shown.Count == 0)
        {
            return;
        }

        using var plot = new Plot();
        plot.Title(Title);
        plot.YLabel("ours / theirs");
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        var position = 0.0;
        foreach (var workload in shown.GroupBy(bar => bar.Workload))
        {
            var first = position;
            foreach (var bar in workload)
            {
                Draw(plot, bar, position++);
            }

            ticks.AddMajor((first + position - 1) / 2, workload.Key);
            position += Gap;
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        plot.Axes.Bottom.TickLabelStyle.Rotation = -35;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        plot.Axes.Bottom.TickLabelStyle.OffsetY = 8;
        plot.Axes.Bottom.MinimumSize = 90;
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.Axes.Bottom.Min = -Gap;
        plot.Axes.Bottom.Max = position;
        plot.HideGrid();
        plot.Add.HorizontalLine(0, 1, Colors.Gray, LinePattern.Dashed);

        // Room above the bars for their numbers.
        const double Above = 1.6;
        const double Below = 1.25;
        var values = shown.SelectMany(bar => new[] { bar.Min, bar.Max, bar.Goal ?? 1, 1 }).ToList();
        LogAxis.Apply(plot.Axes.Left, values.Min() / Below, values.Max() * Above);
        AddLegend(plot, shown);
        ChartFile.Save(plot, folder, name, WidthOfFrame + (int)(WidthPerBar * position), Height);
    }

    private static void Draw(Plot plot, RatioBar bar, double position)
    {
        // From 1 up or down, since a logarithmic axis has no zero.
        var drawn = plot.Add.Bar(new Bar
        {
            Position = position,
            Value = LogAxis.Of(bar.Median),
            ValueBase = 0,
            FillColor = Palette.ColorOf(bar.Peer),
            LineWidth = 0,
        });
        drawn.LegendText = "";
        var range = plot.Add.Line(position, LogAxis.Of(bar.Min), position, LogAxis.Of(bar.Max));
        range.Color = Colors.Black;
        range.LineWidth = 1;
        var top = LogAxis.Of(new[] { bar.Median, bar.Max, bar.Goal ?? 0, 1 }.Max());
        if (bar.Goal is { } goal)
        {
            var mark = plot.Add.Line(position - 0.45, LogAxis.Of(goal), position + 0.45, LogAxis.Of(goal));
            mark.Color = Colors.Red;
            mark.LineWidth = 3;
        }

        var number = plot.Add.Text(bar.Median.ToString(bar.Median >= 10 ? "0" : "0.0#", CultureInfo.InvariantCulture), position, top);
        number.LabelAlignment = Alignment.LowerCenter;
        number.LabelFontSize = 11;
        number.OffsetY = -3;
    }

    private static void AddLegend(Plot plot, IReadOnlyList<RatioBar> bars)
    {
        foreach (var peer in bars.Select(bar => bar.Peer).Distinct())
        {
            plot.Legend.ManualItems.Add(new LegendItem { LabelText = $"against {peer}", FillColor = Palette.ColorOf(peer), LineWidth = 0 });
        }

        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "goal", LineColor = Colors.Red, LineWidth = 3 });
        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "lowest to highest", LineColor = Colors.Black, LineWidth = 1 });
        plot.ShowLegend(Edge.Right);
    }
}
