namespace Conformance.Running;

/// <summary>How one case went.</summary>
/// <param name="Failure">What was expected and what was seen; null if the case passed.</param>
/// <param name="Frames">The frames exchanged, decoded, one a line. Kept only of a case that failed.</param>
internal sealed record CaseResult(SpecCase Case, SpecFailedException? Failure, IReadOnlyList<string> Frames, TimeSpan Duration)
{
    public bool Passed => Failure is null;

    /// <summary>Makes the whole run fail.</summary>
    public bool IsFatal => !Passed && Case.Requirement == Requirement.Must;
}
