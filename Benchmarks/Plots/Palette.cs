using ScottPlot;

namespace Benchmarks.Plots;

/// <summary>An implementation has one colour in every chart.</summary>
internal static class Palette
{
    private static readonly string[] Known = ["ours", "raw", "go", "nerdbank", "link", "plain", "same session", "own connection"];

    private static readonly ScottPlot.Palettes.ColorblindFriendly Colors = new();

    public static Color ColorOf(string name)
    {
        var index = Array.IndexOf(Known, name);

        // The same for the same name in every process, which string.GetHashCode is not.
        return Colors.GetColor(index >= 0 ? index : Known.Length + name.Sum(letter => letter));
    }
}
