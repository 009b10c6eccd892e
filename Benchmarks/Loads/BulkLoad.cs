using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>
/// Streams that send as fast as they can, until the server says that it has read all; or, <paramref name="down"/>, that receive as fast as the server sends.
/// </summary>
internal sealed class BulkLoad(string id, int streams, int piece, long bytes, bool down = false) : ILoad
{
    private const int QuickFraction = 64;
    private const long WarmUpBytes = 64L << 20;

    private static readonly TimeSpan DefaultWarmUp = TimeSpan.FromSeconds(1.5);

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        var total = settings.Bytes ?? (settings.Quick ? bytes / QuickFraction : bytes);
        await using var client = await target.ConnectAsync();
        var warmUp = settings.WarmUp ?? (settings.Quick ? TimeSpan.Zero : DefaultWarmUp);
        var started = Stopwatch.GetTimestamp();
        do
        {
            await MoveAsync(client, Math.Min(total, WarmUpBytes));
        }
        while (Stopwatch.GetElapsedTime(started) < warmUp);

        var elapsed = await MoveAsync(client, total);
        return [new Figure(id, total / elapsed.TotalSeconds / (1 << 20), "MiB/s")];
    }

    private async Task<TimeSpan> MoveAsync(WireClient client, long total)
    {
        var opened = new WireStream[streams];
        for (var i = 0; i < streams; i++)
        {
            opened[i] = await client.OpenAsync();
        }

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(opened.Select((stream, i) => Task.Run(() => MoveAsync(stream, (total / streams) + (i < total % streams ? 1 : 0)))));
        var elapsed = Stopwatch.GetElapsedTime(started);
        foreach (var stream in opened)
        {
            await stream.DisposeAsync();
        }

        return elapsed;
    }

    private Task MoveAsync(WireStream stream, long count) => down ? stream.GetAsync(count) : stream.SendAsync(count, piece);
}
