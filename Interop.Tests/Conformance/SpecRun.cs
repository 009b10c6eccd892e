namespace Interop.Tests.Conformance;

/// <summary>What a run of the suite told.</summary>
internal sealed record SpecRun(int ExitCode, IReadOnlyDictionary<string, SpecResult> Results)
{
    public static readonly SpecRun None = new(0, new Dictionary<string, SpecResult>());

    public IEnumerable<SpecResult> Failed => Results.Values.Where(result => !result.Passed);

    /// <summary>Both, if they have no case in common.</summary>
    public SpecRun With(SpecRun other) => new(Math.Max(ExitCode, other.ExitCode), Results.Concat(other.Results).ToDictionary());

    public string Describe() => string.Join("\n\n", Failed.Select(result => $"{result.Id} {result.Requirement} {result.Sentence}\n{result.Details}"));
}
