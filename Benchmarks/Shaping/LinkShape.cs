namespace Benchmarks.Shaping;

/// <summary>A link: what it carries, and how long a byte is under way.</summary>
internal sealed record LinkShape(long BytesPerSecond, TimeSpan Delay)
{
    private const long GigabitPerSecond = 125_000_000;

    public double MebibytesPerSecond => (double)BytesPerSecond / (1 << 20);

    public static LinkShape Gigabit(int delayMilliseconds) => new(GigabitPerSecond, TimeSpan.FromMilliseconds(delayMilliseconds));
}
