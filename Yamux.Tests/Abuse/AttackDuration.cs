using System.Globalization;

namespace Yamux.Tests.Abuse;

/// <summary>How long a hostile peer goes on: 3 s, or what the environment says.</summary>
internal static class AttackDuration
{
    public const string Variable = "YAMUX_ABUSE_SECONDS";

    // Less than that has too few samples for a middle and a last third, more is no test.
    private const int Shortest = 2;
    private const int Longest = 3600;

    public static int Seconds => Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>For what is a variant of another attack.</summary>
    public static int ShortSeconds => Math.Max(Shortest, Seconds * 3 / 10);

    public static int Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return 3;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= Shortest and <= Longest)
        {
            return seconds;
        }

        throw new ArgumentException($"{Variable} is '{text}'; it must be a whole number of seconds from {Shortest} to {Longest}.");
    }
}
