using Conformance.Running;

namespace Conformance.Reports;

/// <summary>What was tested, and how, for the head of a report.</summary>
/// <param name="Target">Where the target is, or where it dials.</param>
/// <param name="Role">Which end of the session yamuxspec plays.</param>
internal sealed record RunDescription(string Target, string Role, Profile Profile)
{
    public string Tool { get; } = $"yamuxspec {typeof(RunDescription).Assembly.GetName().Version?.ToString(3)}";
}
