namespace Benchmarks.Profile;

/// <summary>A method, or a stack of them, and in which part of the samples it was.</summary>
internal sealed record MethodShare(string Method, double Share)
{
    private const int LongestName = 110;

    /// <summary>Without the types of the arguments, which add little, and cut where it is too long.</summary>
    public static string Shorten(string method)
    {
        var arguments = method.IndexOf('(', StringComparison.Ordinal);
        var name = arguments < 0 ? method : method[..arguments];
        return name.Length <= LongestName ? name : $"…{name[^LongestName..]}";
    }

    public override string ToString() => FormattableString.Invariant($"{100 * Share,6:0.0} %  {Method}");
}
