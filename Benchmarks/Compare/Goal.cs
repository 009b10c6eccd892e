namespace Benchmarks.Compare;

/// <summary>What a figure must reach, or must not exceed.</summary>
internal sealed record Goal(double Bound, bool AtMost = false)
{
    public bool IsMetBy(double value) => AtMost ? value <= Bound : value >= Bound;

    public override string ToString() => FormattableString.Invariant($"{(AtMost ? "<=" : ">=")} {Bound:0.##}");
}
