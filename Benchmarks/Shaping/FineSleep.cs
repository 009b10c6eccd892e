using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Benchmarks.Shaping;

/// <summary>Sleeps to within a tenth of a millisecond where the system can; <see cref="Thread.Sleep(int)"/> knows whole ones only.</summary>
internal static class FineSleep
{
    private const uint LongestMicroseconds = 500_000;

    /// <param name="timestamp">Of <see cref="Stopwatch.GetTimestamp"/>.</param>
    public static void Until(long timestamp)
    {
        while (timestamp - Stopwatch.GetTimestamp() is > 0 and var left)
        {
            var microseconds = (uint)Math.Min((left * 1_000_000 / Stopwatch.Frequency) + 1, LongestMicroseconds);
            if (OperatingSystem.IsWindows())
            {
                Thread.Sleep((int)(microseconds / 1000) + 1);
            }
            else
            {
                _ = SleepMicroseconds(microseconds);
            }
        }
    }

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int SleepMicroseconds(uint microseconds);
}
