using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>Streams that each send 64 bytes and wait to have them back, again and again.</summary>
internal sealed class EchoLoad(string id, int streams) : ILoad
{
    private const int MessageLength = 64;

    private static readonly byte[] Command = [WireCommand.Echo];

    public string Id => id;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        await using var client = await target.ConnectAsync();
        var opened = new WireStream[streams];
        for (var i = 0; i < streams; i++)
        {
            opened[i] = await client.OpenAsync();
            await opened[i].WriteAsync(Command);
        }

        var run = new TimedRun(settings);
        await Task.WhenAll(opened.Select(stream => (stream, worker: run.AddWorker())).ToList()
            .Select(pair => Task.Run(() => PingAsync(pair.stream, pair.worker))));
        return run.Figures(id);
    }

    private static async Task PingAsync(WireStream stream, TimedWorker worker)
    {
        var message = new byte[MessageLength];
        while (worker.Next())
        {
            await stream.WriteAsync(message);
            for (var received = 0; received < MessageLength;)
            {
                var read = await stream.ReadAsync(message.AsMemory(received));
                if (read == 0)
                {
                    throw new EndOfStreamException("A stream ended in the middle of an echo.");
                }

                received += read;
            }
        }

        await stream.CompleteWritesAsync();
        await stream.DisposeAsync();
    }
}
