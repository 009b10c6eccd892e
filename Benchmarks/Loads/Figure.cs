using System.Globalization;

namespace Benchmarks.Loads;

/// <summary>One number that was measured.</summary>
internal sealed record Figure(string Name, double Value, string Unit)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:0.####} {Unit}");
}
