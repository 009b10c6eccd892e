using System.Reflection;
using Conformance.Running;

namespace Conformance.Reports;

/// <summary>What was tested, and how, for the head of a report.</summary>
/// <param name="Target">Where the target is, or where it dials.</param>
/// <param name="Role">Which end of the session yamuxspec plays.</param>
internal sealed record RunDescription(string Target, string Role, Profile Profile)
{
    // Without the commit, which stands behind a plus.
    public string Tool { get; } = $"yamuxspec {typeof(RunDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";
}
