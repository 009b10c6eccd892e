namespace Interop.Tests.Conformance;

/// <summary>What a run of the suite told.</summary>
internal sealed record SpecRun(int ExitCode, IReadOnlyDictionary<string, SpecResult> Results)
{
    public IEnumerable<SpecResult> Failed => Results.Values.Where(result => !result.Passed);

    public string Describe() => string.Join("\n\n", Failed.Select(result => $"{result.Id} {result.Requirement} {result.Sentence}\n{result.Details}"));
}
