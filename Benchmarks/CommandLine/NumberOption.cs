using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Benchmarks.CommandLine;

/// <summary>Options that are numbers within a range. An error names the option, the value and the range.</summary>
internal static class NumberOption
{
    /// <summary>A whole number.</summary>
    public static Option<int> Whole(string name, string description, int min, int max, int? defaultValue = null)
        => Create(name, description, NumberStyles.AllowLeadingSign, "whole number", min, max, defaultValue);

    /// <summary>A number that may have a fraction.</summary>
    public static Option<double> Fractional(string name, string description, double min, double max, double? defaultValue = null)
        => Create(name, description, NumberStyles.Float, "number", min, max, defaultValue);

    private static Option<T> Create<T>(string name, string description, NumberStyles style, string kind, T min, T max, T? defaultValue)
        where T : struct, INumber<T>
        => new(name)
        {
            Description = FormattableString.Invariant($"{description} {min} to {max}."),
            HelpName = "N",
            DefaultValueFactory = defaultValue is { } value ? _ => value : null,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (T.TryParse(text, style, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
                {
                    return number;
                }

                result.AddError(FormattableString.Invariant($"{name} {text}: must be a {kind} from {min} to {max}."));
                return default;
            },
        };
}
