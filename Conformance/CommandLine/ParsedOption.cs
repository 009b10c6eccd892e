using System.CommandLine;
using System.Globalization;
using System.Net;

namespace Conformance.CommandLine;

/// <summary>Makes options whose errors name the option, the value and what is allowed.</summary>
internal static class ParsedOption
{
    /// <param name="parse">Throws a <see cref="FormatException"/> that tells what is allowed.</param>
    public static Option<T?> Create<T>(string name, string helpName, string description, Func<string, T> parse) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            try
            {
                return parse(text);
            }
            catch (FormatException error)
            {
                result.AddError($"{name} {text}: {error.Message}");
                return default;
            }
        },
    };

    public static Option<DnsEndPoint?> Address(string name, string description) => Create(name, "HOST:PORT", description, ParseAddress);

    /// <summary>One word of an enumeration's, in lower case.</summary>
    public static Option<T?> Word<T>(string name, string helpName, string description)
        where T : struct, Enum
        => Create<T?>(name, helpName, description, text =>
            Enum.GetNames<T>().FirstOrDefault(word => word.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
                ? Enum.Parse<T>(known)
                : throw new FormatException($"must be one of {string.Join(", ", Enum.GetNames<T>().Select(word => word.ToLowerInvariant()))}."));

    public static Option<TimeSpan?> Seconds(string name, string description, double min, double max) => Create<TimeSpan?>(
        name,
        "S",
        description,
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds >= min && seconds <= max
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException(FormattableString.Invariant($"must be a number of seconds from {min} to {max}.")));

    private static DnsEndPoint ParseAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon].TrimStart('[').TrimEnd(']');
        return host.Length > 0
            && !host.Contains('/', StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port <= IPEndPoint.MaxPort
                ? new DnsEndPoint(host, port)
                : throw new FormatException($"must be HOST:PORT, with a port from 0 to {IPEndPoint.MaxPort}.");
    }
}
