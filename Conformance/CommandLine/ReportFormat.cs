namespace Conformance.CommandLine;

/// <summary>How the results are written.</summary>
internal enum ReportFormat
{
    Text,
    Json,
    JUnit,
}
