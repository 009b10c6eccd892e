using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>
/// Many streams that send without end: how much the one that was served most has sent for each byte of the one that was served least; and, as a second
/// figure, processor time of this end by the byte, relative to that with few streams on a connection of their own.
/// </summary>
internal sealed class FairLoad(string id, bool cpu) : ILoad
{
    private const int Many = 1024;
    private const int Few = 128;

    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan QuickTime = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan DefaultWarmUp = TimeSpan.FromSeconds(1.5);

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        if (!cpu)
        {
            return [new Figure(id, (await SendAsync(target, settings, Many)).MostToLeast, "times")];
        }

        var few = await SendAsync(target, settings, Few);
        var many = await SendAsync(target, settings, Many);
        return [new Figure(id, many.SecondsPerByte / few.SecondsPerByte, "times"), new Figure($"{id}-few", few.SecondsPerByte * (1 << 30), "s/GiB")];
    }

    private static async Task<(double MostToLeast, double SecondsPerByte)> SendAsync(LoadTarget target, LoadSettings settings, int count)
    {
        // No stream is closed: that would wait for what is under way, and the process ends soon.
        var client = await target.ConnectAsync();
        var sent = new long[count];
        using var stop = new CancellationTokenSource();
        var sending = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var (index, stream) = (i, await client.OpenAsync());
            sending.Add(Task.Run(() => SendAsync(stream, bytes => sent[index] += bytes, stop.Token)));
        }

        await Task.WhenAny([Task.Delay(settings.WarmUp ?? (settings.Quick ? QuickTime : DefaultWarmUp)), .. sending]);
        var (before, started) = (sent.ToArray(), Environment.CpuUsage.TotalTime);
        await Task.WhenAny([Task.Delay(settings.Time ?? (settings.Quick ? QuickTime : DefaultTime)), .. sending]);
        var used = Environment.CpuUsage.TotalTime - started;
        var measured = sent.Zip(before, (after, earlier) => after - earlier).ToArray();
        await stop.CancelAsync();
        await Task.WhenAll(sending);
        return ((double)measured.Max() / measured.Min(), used.TotalSeconds / measured.Sum());
    }

    private static async Task SendAsync(WireStream stream, Action<long> onSent, CancellationToken stop)
    {
        await stream.WriteAsync(WireCommand.Header(WireCommand.Send, long.MaxValue));
        var buffer = new byte[WireCommand.LargestPiece];
        while (!stop.IsCancellationRequested)
        {
            await stream.WriteAsync(buffer);
            onSent(buffer.Length);
        }
    }
}
