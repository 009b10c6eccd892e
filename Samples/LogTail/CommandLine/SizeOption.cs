using System.CommandLine;

namespace LogTail.CommandLine;

/// <summary>How large a log that is made up becomes.</summary>
internal static class SizeOption
{
    private const int Default = 1024;
    private const int Largest = 1024 * 1024;

    public static Option<int> Create()
    {
        var option = new Option<int>("--mib") { Description = $"The size of the log that is made up, in MiB. Default {Default}.", HelpName = "N", DefaultValueFactory = _ => Default };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var size && size is (< 0 or > Largest))
            {
                result.AddError($"--mib {size}: must be a whole number from 0 to {Largest}.");
            }
        });
        return option;
    }

    public static long Bytes(int mebibytes) => (long)mebibytes << 20;
}
