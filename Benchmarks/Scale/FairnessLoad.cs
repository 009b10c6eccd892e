using Benchmarks.Loads;
using Benchmarks.Wire;

namespace Benchmarks.Scale;

/// <summary>
/// A stream that echoes beside some that move bytes without end: how long echoes take, if all share a session or if the others
/// have a connection of their own.
/// </summary>
internal sealed class FairnessLoad(string id, bool shared, bool upwards, int streams) : ILoad
{
    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        // None is closed: that would wait for what is under way, and the process ends now.
        var client = await target.ConnectAsync();
        var other = shared ? client : await target.ConnectAsync();
        var moving = new List<Task>();
        for (var i = 0; i < streams; i++)
        {
            var bulk = await other.OpenAsync();
            moving.Add(Task.Run(() => upwards ? SendAsync(bulk) : ReceiveAsync(bulk)));
        }

        var stream = await Ping.OpenAsync(client);
        var run = new TimedRun(settings);
        var worker = run.AddWorker();
        var pinging = Task.Run(() => Ping.RepeatAsync(stream, worker.Next));
        await await Task.WhenAny([pinging, .. moving]);
        return run.Figures(id);
    }

    private static async Task SendAsync(WireStream stream)
    {
        await stream.WriteAsync(WireCommand.Header(WireCommand.Send, long.MaxValue));
        var buffer = new byte[WireCommand.LargestPiece];
        while (true)
        {
            await stream.WriteAsync(buffer);
        }
    }

    private static async Task ReceiveAsync(WireStream stream)
    {
        await stream.WriteAsync(WireCommand.Header(WireCommand.Get, long.MaxValue));
        var buffer = new byte[WireCommand.LargestPiece];
        while (await stream.ReadAsync(buffer) > 0)
        {
        }

        throw new EndOfStreamException("The stream that has no end has ended.");
    }
}
