using System.Diagnostics;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>
/// The first stream of a new connection, which sends so many bytes and waits until the server says that it has read them; or, <paramref name="down"/>, asks for
/// them. Opening the connection is not measured.
/// </summary>
internal sealed class ColdLoad(string id, bool down) : ILoad
{
    private const long DefaultBytes = 4L << 20;
    private const int WarmUps = 3; // Of the compiler: each has a connection of its own too.
    private const int Transfers = 5;

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        var bytes = settings.Bytes ?? DefaultBytes;
        for (var i = 0; i < WarmUps && !settings.Quick; i++)
        {
            await MoveAsync(target, Math.Min(bytes, DefaultBytes));
        }

        var seconds = new List<double>();
        do
        {
            seconds.Add((await MoveAsync(target, bytes)).TotalSeconds);
        }
        while (seconds.Count < Transfers && !settings.Quick);

        return [new Figure(id, bytes / seconds.Order().ElementAt(seconds.Count / 2) / (1 << 20), "MiB/s")];
    }

    private async Task<TimeSpan> MoveAsync(LoadTarget target, long bytes)
    {
        await using var client = await target.ConnectAsync();
        var started = Stopwatch.GetTimestamp();
        await using var stream = await client.OpenAsync();
        await (down ? stream.GetAsync(bytes) : stream.SendAsync(bytes, WireCommand.LargestPiece));
        return Stopwatch.GetElapsedTime(started);
    }
}
