using System.Buffers;

namespace Backchannel;

/// <summary>What a peer may be called.</summary>
internal static class PeerName
{
    public const int MaxLength = 128;

    public const string Rule = "1 to 128 of the letters and digits of ASCII and of . _ - : / @";

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@");

    public static bool IsValid(ReadOnlySpan<char> name) => name.Length is > 0 and <= MaxLength && !name.ContainsAnyExcept(Allowed);

    /// <exception cref="ArgumentException">The name is null, or none.</exception>
    public static void ThrowIfInvalid(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsValid(name))
        {
            throw new ArgumentException($"{Shown(name)} is no name of a peer: {Rule}.", nameof(name));
        }
    }

    /// <summary>As it may stand in a message or a log, whatever it is: at most a name's length of it, and nothing that a terminal would obey.</summary>
    public static string Shown(string name)
    {
        var part = name.Length > MaxLength ? name[..MaxLength] : name;
        var shown = string.Create(part.Length, part, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = from[i] is >= ' ' and <= '~' ? from[i] : '?';
            }
        });
        return part.Length == name.Length ? $"\"{shown}\"" : FormattableString.Invariant($"\"{shown}…\" ({name.Length} characters)");
    }
}
