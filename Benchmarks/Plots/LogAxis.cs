using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Benchmarks.Plots;

/// <summary>Logarithmic axes: the plot holds logarithms, and the labels say the numbers.</summary>
internal static class LogAxis
{
    public static double Of(double value) => Math.Log10(value);

    /// <summary>Labels an axis at 1, 2 and 5 times each power of ten between the two numbers, or at the powers alone if that is enough.</summary>
    public static void Apply(IAxis axis, double min, double max)
    {
        var ticks = new NumericManual();
        var dense = max / min < 1000;
        for (var power = (int)Math.Floor(Math.Log10(min)); power <= (int)Math.Ceiling(Math.Log10(max)); power++)
        {
            for (var digit = 1; digit <= 9; digit++)
            {
                var value = digit * Math.Pow(10, power);
                if (digit == 1 || (dense && digit is 2 or 5))
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
