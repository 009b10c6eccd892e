using System.Diagnostics.CodeAnalysis;

namespace Backchannel;

/// <summary>Ranges of options, with what to say where they are left.</summary>
internal static class OptionCheck
{
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    public static void Timeout(TimeSpan value, string type, string name)
    {
        if (value != System.Threading.Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > LongestTimeout))
        {
            Throw(value, name, $"{type}.{name} is {value}; it must be more than 0 and at most {LongestTimeout}, or Timeout.InfiniteTimeSpan to switch it off.");
        }
    }

    public static void FiniteTimeout(TimeSpan value, string type, string name)
    {
        if (value <= TimeSpan.Zero || value > LongestTimeout)
        {
            Throw(value, name, $"{type}.{name} is {value}; it must be more than 0 and at most {LongestTimeout}.");
        }
    }

    public static void Count(int value, string type, string name)
    {
        if (value < 1)
        {
            Throw(value, name, FormattableString.Invariant($"{type}.{name} is {value}; it must be at least 1."));
        }
    }

    [DoesNotReturn]
    private static void Throw(object value, string name, string message) => throw new ArgumentOutOfRangeException(name, value, message);
}
