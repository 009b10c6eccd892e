using System.CommandLine;
using Conformance.Cases;
using Conformance.Running;

namespace Conformance.CommandLine;

/// <summary>The command <c>list</c>.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var profile = ParsedOption.Word<Profile>("--profile", "PROFILE", "The family whose expectations are shown: strict (default), hashicorp or libp2p.");
        var command = new Command("list", "Prints the cases, one a line: id, how much it asks, what the peer does, and where that comes from.") { profile };
        command.SetAction(parsed =>
        {
            foreach (var spec in Suite.Cases.Select(spec => spec.For(parsed.GetValue(profile) ?? Profile.Strict)))
            {
                parsed.InvocationConfiguration.Output.WriteLine($"{spec.Id,-13} {spec.Requirement.ToString().ToUpperInvariant(),-6}  {spec.Sentence} [{spec.Source}]");
            }
        });
        return command;
    }
}
