using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Benchmarks.Plots;

/// <summary>Logarithmic axes: the plot holds logarithms, and the labels say the numbers.</summary>
internal static class LogAxis
{
    public static double Of(double value) => Math.Log10(value);

    /// <summary>Labels an axis at each power of ten between the two numbers, and at as many of its multiples as there is room for.</summary>
    public static void Apply(IAxis axis, double min, double max)
    {
        var ticks = new NumericManual();
        int[] labelled = (max / min) switch { < 8 => [1, 2, 3, 4, 5, 6, 7, 8, 9], < 1000 => [1, 2, 5], _ => [1] };
        for (var power = (int)Math.Floor(Math.Log10(min)); power <= (int)Math.Ceiling(Math.Log10(max)); power++)
        {
            for (var digit = 1; digit <= 9; digit++)
            {
                var value = digit * Math.Pow(10, power);
                if (labelled.Contains(digit))
                {
                    ticks.AddMajor(Of(value), Text(value));
                }
                else
                {
                    ticks.AddMinor(Of(value));
                }
            }
        }

        axis.TickGenerator = ticks;
        axis.Min = Of(min);
        axis.Max = Of(max);
    }

    private static string Text(double value) => value.ToString(value >= 1 ? "#,##0" : "0.####", CultureInfo.InvariantCulture);
}
