namespace Interop.Tests.Conformance;

/// <summary>docs/conformance.md.</summary>
public sealed class DocumentTests
{
    [Fact]
    public void Each_case_that_an_implementation_does_not_pass_is_explained() => ConformanceTable.AssertExplained();
}
