using System.CommandLine;

namespace Benchmarks.CommandLine;

/// <summary>Options that are one of a few words. An error names the option, the value and the words.</summary>
internal static class ChoiceOption
{
    public static Option<string> Create(string name, string description, IReadOnlyList<string> choices)
    {
        var option = new Option<string>(name)
        {
            Description = $"{description} {string.Join(", ", choices)}.",
            HelpName = "NAME",
            Required = true,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !choices.Contains(token.Value))
            {
                result.AddError($"{name} {token.Value}: must be one of {string.Join(", ", choices)}.");
            }
        });
        return option;
    }
}
