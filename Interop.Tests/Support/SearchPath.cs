namespace Interop.Tests.Support;

/// <summary>What is installed.</summary>
internal static class SearchPath
{
    public static bool Has(string tool)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));
}
