using System.Text;

namespace Benchmarks.CommandLine;

/// <summary>Files that results are written to.</summary>
internal static class OutputFile
{
    /// <summary>
    /// Opens it before anything is measured, so that a wrong path costs no time. What is in it stays until there is something new.
    /// </summary>
    /// <exception cref="ExplainedException">It cannot be written to.</exception>
    public static FileStream Create(string option, string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ExplainedException($"{option} {path}: {error.Message}");
        }
    }

    /// <summary>Puts this text in the place of what is in the file.</summary>
    public static async Task ReplaceAsync(FileStream file, string text)
    {
        file.SetLength(0);
        await file.WriteAsync(Encoding.UTF8.GetBytes(text));
    }
}
