using Conformance.Running;

namespace Conformance.Cases;

/// <summary>All cases, in the order in which they run.</summary>
internal static class Suite
{
    public static IReadOnlyList<SpecCase> Cases { get; } =
    [
        .. FramingCases.All,
        .. OpenCases.All,
        .. AckCases.All,
        .. DataCases.All,
        .. CreditCases.All,
        .. HalfCloseCases.All,
        .. ResetCases.All,
        .. PingCases.All,
        .. GoAwayCases.All,
        .. EndCases.All,
        .. ToleranceCases.All,
        .. AbuseCases.All,
    ];
}
