namespace Benchmarks.Profile;

/// <summary>A method, and in which part of the samples it was.</summary>
internal sealed record MethodShare(string Method, double Share)
{
    private const int LongestName = 110;

    // Namespaces and argument types make it long, and add little.
    public override string ToString()
    {
        var arguments = Method.IndexOf('(', StringComparison.Ordinal);
        var name = arguments < 0 ? Method : Method[..arguments];
        return FormattableString.Invariant($"{100 * Share,6:0.0} %  {(name.Length <= LongestName ? name : $"…{name[^LongestName..]}")}");
    }
}
