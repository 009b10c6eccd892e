using System.Globalization;

namespace Benchmarks.Compare;

/// <summary>What a client prints: a line <c>NAME VALUE UNIT</c> for each figure.</summary>
internal static class Figures
{
    /// <exception cref="MeasurementException">A line is none of these.</exception>
    public static IReadOnlyList<(string Name, double Value)> Parse(string output) => [.. output.TrimEnd().Split('\n').Select(ParseLine)];

    /// <exception cref="MeasurementException">It is no such line.</exception>
    public static (string Name, double Value) ParseLine(string line)
        => line.Split(' ') is [var name, var text, ..]
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? (name, value)
            : throw new MeasurementException($"it printed '{line}', and not 'NAME VALUE UNIT'");

    /// <summary>Ours relative to theirs, or the other way round.</summary>
    /// <exception cref="MeasurementException">Nothing was done in the time that was measured.</exception>
    public static double Divide(double value, double by)
        => by > 0 ? value / by : throw new MeasurementException($"a figure is {by}, so that nothing can be said relative to it");
}
