namespace Yamux.Tests.Kit;

/// <summary>Windows that do not grow, so that a test can count on what they are.</summary>
public static class FixedWindows
{
    /// <summary>Every stream starts with this window and keeps it.</summary>
    public static void FixWindows(this YamuxOptions options, int size)
        => (options.InitialStreamWindowSize, options.MaxStreamWindowSize) = (size, size);
}
