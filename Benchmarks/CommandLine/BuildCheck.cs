namespace Benchmarks.CommandLine;

/// <summary>Tells a build that may be measured from one that may not.</summary>
internal static class BuildCheck
{
    /// <summary>Says so if this build's figures are worth nothing.</summary>
    public static void Warn(TextWriter writer)
    {
#if DEBUG
        writer.WriteLine("This was a Debug build, which says nothing about speed. Use dotnet run -c Release.");
#else
        _ = writer;
#endif
    }
}
