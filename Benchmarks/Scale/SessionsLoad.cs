using Benchmarks.Loads;
using Benchmarks.Wire;

namespace Benchmarks.Scale;

/// <summary>Many sessions, each with one stream that echoes: the total, and what each session takes of the client's memory.</summary>
internal sealed class SessionsLoad(int sessions) : ILoad
{
    private const int WarmUpSessions = 2;

    public string Id => "sessions";

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        // Those of the warm-up stay, or the next would get by with the buffers that they have left behind.
        var opened = await OpenAsync(target, WarmUpSessions);
        var memory = LiveHeap.Measure();
        opened.AddRange(await OpenAsync(target, sessions));
        var perSession = (LiveHeap.Measure() - memory) / (double)sessions;
        var run = new TimedRun(settings);
        var pings = opened.Skip(WarmUpSessions).Select(pair => (pair.Stream, Worker: run.AddWorker())).ToList();
        await Task.WhenAll(pings.Select(pair => Task.Run(() => Ping.RepeatAsync(pair.Stream, pair.Worker.Next))));
        foreach (var (client, _) in opened)
        {
            await client.DisposeAsync();
        }

        return [.. run.Figures(Id), new Figure($"{Id}-memory", perSession, "B")];
    }

    private static async Task<List<(WireClient Client, WireStream Stream)>> OpenAsync(LoadTarget target, int count)
    {
        var opened = new List<(WireClient, WireStream)>();
        for (var i = 0; i < count; i++)
        {
            opened.Add(await OpenAsync(target));
        }

        return opened;
    }

    private static async Task<(WireClient Client, WireStream Stream)> OpenAsync(LoadTarget target)
    {
        var client = await target.ConnectAsync();
        var stream = await Ping.OpenAsync(client);

        // Once it has answered, both ends have all that a session needs.
        await Ping.OnceAsync(stream, new byte[Ping.MessageLength]);
        return (client, stream);
    }
}
