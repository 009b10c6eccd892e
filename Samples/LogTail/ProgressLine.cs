using System.Diagnostics;

namespace LogTail;

/// <summary>How far a fetch is: a bar that is redrawn on a terminal, a line now and then elsewhere.</summary>
/// <param name="name">Whose file it is, as it says itself: nothing that a terminal would obey is printed.</param>
/// <param name="total">Its length in bytes when it was asked for. A log may grow meanwhile.</param>
internal sealed class ProgressLine(string name, long total)
{
    private const int Width = 30;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(Console.IsOutputRedirected ? 500 : 50);

    private readonly string _agent = Name(name);
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Lock _gate = new();
    private TimeSpan _shown;
    private TimeSpan _ping;

    private static string StartOfLine => Console.IsOutputRedirected ? "" : "\r\e[K";

    /// <summary>The last line, if it comes to that.</summary>
    public static void Fail(string name, string reason) => Console.WriteLine($"{StartOfLine}failed: {Name(name)}: {PrintableText.Of(reason)}");

    /// <summary>So many bytes have come.</summary>
    public void Received(long bytes)
    {
        var now = Stopwatch.GetElapsedTime(_start);
        lock (_gate)
        {
            if (now - _shown < Interval)
            {
                return;
            }

            _shown = now;
            Show(bytes, now);
        }
    }

    /// <summary>A call has taken so long.</summary>
    public void Pinged(TimeSpan latency)
    {
        lock (_gate)
        {
            _ping = latency;
        }
    }

    /// <summary>The last line.</summary>
    public void End(string text) => Console.WriteLine($"{StartOfLine}ok: {_agent}: {text}");

    private static string Name(string name) => string.Concat(PrintableText.Of(name).Take(Width));

    private void Show(long bytes, TimeSpan time)
    {
        var done = Math.Min(1, bytes / (double)Math.Max(total, 1));
        var filled = (int)(Width * done);
        var text = $"{_agent} [{new string('#', filled)}{new string('-', Width - filled)}] {100 * done,3:0} %, "
            + $"{bytes / time.TotalSeconds / (1 << 20):N0} MiB/s, ping {_ping.TotalMilliseconds:0.0} ms";
        if (Console.IsOutputRedirected)
        {
            Console.WriteLine(text);
        }
        else
        {
            Console.Write($"\r{text}\e[K");
        }
    }
}
