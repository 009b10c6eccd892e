using System.Net;
using Benchmarks.Serve;
using Benchmarks.Wire;

namespace Benchmarks.Loads;

/// <summary>Both ends in this process, over loopback.</summary>
internal static class InProcess
{
    /// <summary>Runs a load against a server of its own.</summary>
    public static async Task<double> MeasureAsync(LoadTarget target, Func<WireClient, Task<double>> load)
    {
        using var done = new CancellationTokenSource();
        using var server = new Server(target.Implementation, target.Settings);
        var address = server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var serving = server.RunAsync(done.Token);
        double figure;
        await using (var client = await (target with { Address = address }).ConnectAsync())
        {
            figure = await load(client);
        }

        await done.CancelAsync();
        await serving;
        return figure;
    }
}
