using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>One stream that sends without end: what it is rid of in a second, once it has come to speed.</summary>
internal sealed class SustainedLoad(string id) : ILoad
{

    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(1);

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        // Neither is closed: that would wait until the link has carried what is under way, and the process ends now.
        var client = await target.ConnectAsync();
        var stream = await client.OpenAsync();
        await stream.WriteAsync(WireCommand.Header(WireCommand.Send, long.MaxValue));

        await SendAsync(stream, settings.WarmUp ?? DefaultTime);
        var started = Stopwatch.GetTimestamp();
        var bytes = await SendAsync(stream, settings.Time ?? DefaultTime);
        return [new Figure(id, bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / (1 << 20), "MiB/s")];
    }

    private static async Task<long> SendAsync(WireStream stream, TimeSpan time)
    {
        var buffer = new byte[WireCommand.LargestPiece];
        var started = Stopwatch.GetTimestamp();
        var bytes = 0L;
        do
        {
            await stream.WriteAsync(buffer);
            bytes += buffer.Length;
        }
        while (Stopwatch.GetElapsedTime(started) < time);

        return bytes;
    }
}
