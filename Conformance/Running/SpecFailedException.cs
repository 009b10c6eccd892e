namespace Conformance.Running;

/// <summary>The target did not do what a case expects.</summary>
internal sealed class SpecFailedException(string expected, string seen) : Exception($"expected: {expected}; seen: {seen}")
{
    public string Expected { get; } = expected;

    public string Seen { get; } = seen;
}
