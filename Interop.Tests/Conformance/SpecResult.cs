namespace Interop.Tests.Conformance;

/// <summary>How one case went.</summary>
/// <param name="Details">Of a case that failed: what was expected, what was seen, and the frames.</param>
internal sealed record SpecResult(string Id, string Requirement, string Sentence, bool Passed, string Details);
