namespace Benchmarks.Shaping;

/// <summary>A link: what it carries, and how long a byte is under way.</summary>
/// <param name="BytesPerSecond">In either direction.</param>
/// <param name="Delay">In either direction.</param>
/// <param name="ReceiveBuffer">How many bytes its sockets take in advance; null: as many as the system likes, which over a slow link are seconds.</param>
internal sealed record LinkShape(long BytesPerSecond, TimeSpan Delay, int? ReceiveBuffer = null)
{
    private const int SmallBuffer = 16 * 1024;
    private const long GigabitPerSecond = 125_000_000;

    public double MebibytesPerSecond => (double)BytesPerSecond / (1 << 20);

    public static LinkShape Gigabit(int delayMilliseconds) => new(GigabitPerSecond, TimeSpan.FromMilliseconds(delayMilliseconds));

    public static LinkShape Slow(int kilobytesPerSecond) => new(kilobytesPerSecond * 1000L, TimeSpan.FromMilliseconds(20), SmallBuffer);
}
