using System.Globalization;

namespace Yamux.Tests.Fuzzing;

/// <summary>How long to fuzz, and with which seed, from the environment.</summary>
internal static class FuzzSettings
{
    public const string FramesVariable = "YAMUX_FUZZ_FRAMES";
    public const string SeedVariable = "YAMUX_FUZZ_SEED";

    public static long Read(string variable, long fallback, long least)
    {
        var text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text))
        {
            return fallback;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= int.MaxValue * 1000L
            ? value
            : throw new ArgumentException($"{variable} is '{text}'; it must be a whole number, {least} to {int.MaxValue * 1000L}.", variable);
    }
}
