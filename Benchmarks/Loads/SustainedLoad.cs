using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>One stream that sends, or, <paramref name="down"/>, receives without end: what it is rid of in a second, once it has come to speed.</summary>
internal sealed class SustainedLoad(string id, bool down = false) : ILoad
{
    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(1);

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        // Neither is closed: that would wait until the link has carried what is under way, and the process ends now.
        var client = await target.ConnectAsync();
        var stream = await client.OpenAsync();
        await stream.WriteAsync(WireCommand.Header(down ? WireCommand.Get : WireCommand.Send, long.MaxValue));

        await MoveAsync(stream, settings.WarmUp ?? DefaultTime);
        var started = Stopwatch.GetTimestamp();
        var bytes = await MoveAsync(stream, settings.Time ?? DefaultTime);
        return [new Figure(id, bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / (1 << 20), "MiB/s")];
    }

    private async Task<long> MoveAsync(WireStream stream, TimeSpan time)
    {
        var buffer = new byte[WireCommand.LargestPiece];
        var started = Stopwatch.GetTimestamp();
        var bytes = 0L;
        do
        {
            if (down)
            {
                bytes += await stream.ReadAsync(buffer);
                continue;
            }

            await stream.WriteAsync(buffer);
            bytes += buffer.Length;
        }
        while (Stopwatch.GetElapsedTime(started) < time);

        return bytes;
    }
}
