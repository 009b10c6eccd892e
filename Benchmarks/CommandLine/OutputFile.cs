namespace Benchmarks.CommandLine;

/// <summary>Files that results are written to.</summary>
internal static class OutputFile
{
    /// <summary>Opens it before anything is measured, so that a wrong path costs no time.</summary>
    public static FileStream Create(string option, string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ExplainedException($"{option} {path}: {error.Message}");
        }
    }
}
