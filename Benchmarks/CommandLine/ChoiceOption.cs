using System.CommandLine;
using System.CommandLine.Parsing;

namespace Benchmarks.CommandLine;

/// <summary>Options that are one of a few words, or several of them. An error names the option, the value and the words.</summary>
internal static class ChoiceOption
{
    public static Option<string> CreateOne(string name, string description, IReadOnlyCollection<string> choices)
    {
        var option = new Option<string>(name) { Description = Describe(description, choices), HelpName = "NAME", Required = true };
        option.Validators.Add(result => Validate(name, choices, result));
        return option;
    }

    public static Option<string[]> CreateMany(string name, string description, IReadOnlyCollection<string> choices)
    {
        var option = new Option<string[]>(name)
        {
            Description = Describe(description, choices),
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        option.Validators.Add(result => Validate(name, choices, result));
        return option;
    }

    private static string Describe(string description, IReadOnlyCollection<string> choices) => $"{description} {string.Join(", ", choices)}.";

    private static void Validate(string name, IReadOnlyCollection<string> choices, SymbolResult result)
    {
        foreach (var token in result.Tokens.Where(token => !choices.Contains(token.Value)))
        {
            result.AddError($"{name} {token.Value}: must be one of {string.Join(", ", choices)}.");
        }
    }
}
