using System.CommandLine;
using System.Globalization;

namespace Voting.CommandLine;

/// <summary>Makes options whose errors name the option, the value and what is allowed.</summary>
internal static class ParsedOption
{
    /// <param name="parse">Throws a <see cref="FormatException"/> that tells what is allowed.</param>
    public static Option<T> Create<T>(string name, string helpName, string description, Func<string, T> parse) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            try
            {
                return parse(text);
            }
            catch (FormatException error)
            {
                result.AddError($"{name} {text}: {error.Message}");
                return default;
            }
        },
    };

    public static Option<int?> Number(string name, string description, int max) => Create<int?>(
        name,
        "N",
        description,
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max
            ? number
            : throw new FormatException($"must be a whole number from 1 to {max}."));

    /// <summary>An option that takes a certificate and its key.</summary>
    public static Option<string[]> CertificateAndKey(string name, string description)
    {
        var option = new Option<string[]>(name)
        {
            Description = description,
            HelpName = "CERT> <KEY",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count != 2)
            {
                result.AddError($"{name} {string.Join(' ', result.Tokens)}: must be two PEM files, the certificate and its key.");
            }
        });
        return option;
    }
}
