using System.Net;
using Benchmarks.Serve;
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
        using var done = new CancellationTokenSource();
        using var server = new Server(target.Implementation, target.Settings);
        var address = server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var serving = server.RunAsync(done.Token);
        var total = settings.Bytes ?? (settings.Quick ? Portion : DefaultBytes);
        long before, peak;
        await using (var client = await (target with { Address = address }).ConnectAsync())
        {
            before = 0;
            for (var moved = 0L; moved < (settings.Quick ? Portion : WarmUp); moved += Portion)
            {
                before = Math.Max(before, await MoveAsync(client));
            }

            peak = before;
            for (var moved = 0L; moved < total; moved += Portion)
            {
                peak = Math.Max(peak, await MoveAsync(client));
            }
        }

        await done.CancelAsync();
        await serving;
        return [new Figure(id, Math.Round((peak - before) / (double)(1 << 20), 1), "MiB")];
    }

    // What it had at most while bytes were under way.
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
