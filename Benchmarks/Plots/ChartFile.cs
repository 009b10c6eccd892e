using Benchmarks.CommandLine;
using ScottPlot;

namespace Benchmarks.Plots;

/// <summary>Writes charts as PNG and as SVG.</summary>
internal static class ChartFile
{
    /// <summary>Makes the folder of <paramref name="option"/> before anything is measured, so that a wrong path costs no time.</summary>
    /// <exception cref="ExplainedException">It cannot be made.</exception>
    public static void CreateFolder(string option, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ExplainedException($"{option} {folder}: {error.Message}");
        }
    }

    /// <summary>Writes <c>NAME.png</c> and <c>NAME.svg</c>.</summary>
    /// <exception cref="ExplainedException">A file cannot be written.</exception>
    public static void Save(Plot plot, string folder, string name, int width, int height)
    {
        CreateFolder("--plot", folder);
        try
        {
            plot.SavePng(Path.Combine(folder, $"{name}.png"), width, height);
            plot.SaveSvg(Path.Combine(folder, $"{name}.svg"), width, height);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ExplainedException($"--plot {folder}: {error.Message}");
        }
    }
}
