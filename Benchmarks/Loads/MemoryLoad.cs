using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>A gigabyte each way, with both ends in this process: by how much that raises what it has in memory at most, once all is warm.</summary>
internal sealed class MemoryLoad(string id) : ILoad
{
    private const long Portion = 64L << 20;
    private const long Interval = 4L << 20;

    // Until the compiler is done with what it has found to be hot, and the collector knows how much is thrown away.
    private const long WarmUp = 512L << 20;

    private const long DefaultBytes = 1L << 30;

    public string Id => id;

    public bool NeedsServer => false;

    public async Task<IReadOnlyList<Figure>> RunAsync(LoadTarget target, LoadSettings settings)
    {
        var (warmUp, total) = settings.Quick ? (Portion, Portion) : (WarmUp, DefaultBytes);
        var growth = await InProcess.MeasureAsync(target, async client =>
        {
            var before = await MoveAsync(client, warmUp);
            return Math.Max(0, await MoveAsync(client, settings.Bytes ?? total) - before);
        });
        return [new Figure(id, Math.Round(growth / (1 << 20), 1), "MiB")];
    }

    // What it had at most while so much passed each way.
    private static async Task<long> MoveAsync(WireClient client, long total)
    {
        var peak = 0L;
        for (var moved = 0L; moved < total; moved += Portion)
        {
            peak = Math.Max(peak, await MoveAsync(client));
        }

        return peak;
    }

    private static async Task<long> MoveAsync(WireClient client)
    {
        var peak = 0L;
        await using (var up = await client.OpenAsync())
        {
            var piece = new byte[WireCommand.LargestPiece];
            await up.WriteAsync(WireCommand.Header(WireCommand.Send, Portion));
            for (var left = Portion; left > 0; left -= piece.Length)
            {
                await up.WriteAsync(piece);
                peak = left % Interval == 0 ? Math.Max(peak, Environment.WorkingSet) : peak;
            }

            await up.DiscardAsync(sizeof(long));
        }

        await using var down = await client.OpenAsync();
        await down.WriteAsync(WireCommand.Header(WireCommand.Get, Portion));
        for (var left = Portion; left > 0; left -= Interval)
        {
            await down.DiscardAsync(Interval);
            peak = Math.Max(peak, Environment.WorkingSet);
        }

        return peak;
    }
}
