using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>Streams on which nothing happens: what each takes of the client's memory.</summary>
internal sealed class IdleLoad(string id) : ILoad
{
    private const int DefaultStreams = 10_000;
    private const int WarmUpStreams = 100;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(0.1);
    private static readonly byte[] CommandAndByte = [WireCommand.Echo, 1];

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        await using var client = await target.ConnectAsync();
        var count = settings.Streams ?? DefaultStreams;
        var kept = new object[WarmUpStreams + count];
        await OpenAsync(client, new ArraySegment<object>(kept, 0, WarmUpStreams));
        var memory = LiveMemory();
        var resident = Environment.WorkingSet;

        await OpenAsync(client, new ArraySegment<object>(kept, WarmUpStreams, count));
        var perStream = (LiveMemory() - memory) / (double)count;
        var residentPerStream = (Environment.WorkingSet - resident) / (double)count;
        GC.KeepAlive(kept);
        return [new Figure(id, perStream, "B"), new Figure($"{id}-rss", residentPerStream, "B")];
    }

    private static async Task OpenAsync(WireClient client, ArraySegment<object> kept)
    {
        for (var i = 0; i < kept.Count; i++)
        {
            kept[i] = await client.OpenIdleAsync();
        }

        // The server has taken all of them by the time it answers on another.
        await using (var last = await client.OpenAsync())
        {
            await last.WriteAsync(CommandAndByte);
            await last.ReadExactlyAsync(new byte[1]);
        }

        await Task.Delay(Rest);
    }

    private static long LiveMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
