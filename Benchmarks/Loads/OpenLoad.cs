using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>Opens a stream, has one byte echoed and closes it, again and again.</summary>
internal sealed class OpenLoad(string id, int atOnce) : ILoad
{
    private static readonly byte[] CommandAndByte = [WireCommand.Echo, 1];

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        await using var client = await target.ConnectAsync();
        var run = new TimedRun(settings);
        var workers = Enumerable.Range(0, atOnce).Select(_ => run.AddWorker()).ToList();
        await Task.WhenAll(workers.Select(worker => Task.Run(() => OpenAsync(client, worker))));
        return run.Figures(id);
    }

    private static async Task OpenAsync(WireClient client, TimedWorker worker)
    {
        var answer = new byte[1];
        while (worker.Next())
        {
            await using var stream = await client.OpenAsync();
            await stream.WriteAsync(CommandAndByte);
            if (await stream.ReadAsync(answer) == 0)
            {
                throw new EndOfStreamException("A stream ended before its byte came back.");
            }
        }
    }
}
