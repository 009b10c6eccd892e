using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>An echo of 64 bytes beside streams that send as fast as they can: how long it takes at worst.</summary>
internal sealed class SlowLoad(string id, int streams) : ILoad
{
    private const int EchoLength = 64;

    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        // Nothing is closed: that would wait until the link has carried what is under way, and the process ends now.
        var client = await target.ConnectAsync();
        var echo = await client.OpenAsync();
        await echo.WriteAsync(new[] { WireCommand.Echo });
        var sending = Enumerable.Range(0, streams).Select(_ => Task.Run(() => SendAsync(client))).ToList();

        var echoes = new List<TimeSpan>();
        var buffer = new byte[EchoLength];
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < (settings.Time ?? DefaultTime))
        {
            if (sending.Find(task => task.IsCompleted) is { } ended)
            {
                await ended; // It has failed: none ends by itself.
            }

            var sent = Stopwatch.GetTimestamp();
            await echo.WriteAsync(buffer);
            await echo.ReadExactlyAsync(buffer);
            echoes.Add(Stopwatch.GetElapsedTime(sent));
            await Task.Delay(Pause);
        }

        echoes.Sort();
        return [new Figure(id, echoes[^1].TotalSeconds, "s"), new Figure($"{id}-median", echoes[echoes.Count / 2].TotalSeconds, "s")];
    }

    private static async Task SendAsync(WireClient client)
    {
        var stream = await client.OpenAsync();
        await stream.WriteAsync(WireCommand.Header(WireCommand.Send, long.MaxValue));
        var buffer = new byte[WireCommand.LargestPiece];
        while (true)
        {
            await stream.WriteAsync(buffer);
        }
    }
}
