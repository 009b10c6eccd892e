using System.CommandLine;
using System.Globalization;

namespace LogTail.CommandLine;

/// <summary>How large a log that is made up becomes.</summary>
internal static class SizeOption
{
    private const int Default = 1024;
    private const int Largest = 1024 * 1024;

    public static Option<int?> Create() => new("--mib")
    {
        Description = $"The size of the log that is made up, in MiB, in the folder for temporary files. Default {Default}.",
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size) && size is >= 0 and <= Largest)
            {
                return size;
            }

            result.AddError($"--mib {text}: must be a whole number from 0 to {Largest}.");
            return null;
        },
    };

    public static long Bytes(int? mebibytes) => (long)(mebibytes ?? Default) << 20;
}
