using System.Net;
using System.Net.Http.Json;
using Backchannel;
using Fleet.Grpc;
using Grpc.Core;

namespace Fleet;

/// <summary>A server and three devices in one process: it lists them, calls each by its name, reads a stream of one, loses one and sees it come back, and is drained.</summary>
internal static class FleetDemo
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string[] Names = ["device-1", "device-2", "device-3"];

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        using var certificates = FleetCertificates.Create();
        var free = new IPEndPoint(IPAddress.Loopback, 0);
        await using var server = FleetServer.Create(free, free, certificates, _ => { });
        await server.StartAsync(limit.Token);
        var address = server.Urls.First(url => url.StartsWith("https", StringComparison.Ordinal)).Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = new Uri(server.Urls.First(url => url.StartsWith("http:", StringComparison.Ordinal))) };
        Console.WriteLine($"server    devices at {address}, people at {http.BaseAddress}");

        var devices = Names.Select(name => FleetDevice.Create(address, name, certificates, _ => { })).ToArray();
        try
        {
            await PlayAsync(server, http, devices, limit.Token);
        }
        finally
        {
            foreach (var device in devices)
            {
                await device.StopAsync(CancellationToken.None);
                device.Dispose();
            }
        }

        return 0;
    }

    private static async Task PlayAsync(WebApplication server, HttpClient http, IHost[] devices, CancellationToken cancellation)
    {
        await Task.WhenAll(devices.Select(device => device.StartAsync(cancellation)));
        var peers = server.Services.GetRequiredService<IBackchannelPeers>();
        foreach (var name in Names)
        {
            await peers.WaitForPeerAsync(name, cancellation);
        }

        Console.WriteLine("attached, each under the name in its certificate:");
        foreach (var name in await peers.ListAsync(cancellation).Select(peer => peer.Name!).Order().ToListAsync(cancellation))
        {
            Console.WriteLine($"  {name}");
        }

        Console.WriteLine("called by name, over HTTP and then over the device's own connection:");
        foreach (var name in Names)
        {
            using var answer = await http.PostAsync(new Uri($"/devices/{name}/restart", UriKind.Relative), null, cancellation);
            Console.WriteLine($"  POST /devices/{name}/restart   {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
            answer.EnsureSuccessStatusCode();
        }

        using var nobody = await http.PostAsync(new Uri("/devices/device-9/restart", UriKind.Relative), null, cancellation);
        Require(nobody.StatusCode == HttpStatusCode.ServiceUnavailable, "a device that is not there is unavailable");
        Console.WriteLine($"  POST /devices/device-9/restart   {(int)nobody.StatusCode}: nobody is called that");

        var report = await devices[0].Services.GetRequiredService<Inventory.InventoryClient>().ReportAsync(new ReportRequest { Firmware = "1.0" }, cancellationToken: cancellation);
        Console.WriteLine($"and the other way: the server knows the caller as {report.KnownAs}");
        Require(report.KnownAs == Names[0], "the server knows who calls it");

        Console.WriteLine("a stream of readings from device-2:");
        using (var watch = peers.GetClient<Device.DeviceClient>("device-2").Watch(new WatchRequest(), cancellationToken: cancellation))
        {
            for (var i = 0; i < 3 && await watch.ResponseStream.MoveNext(cancellation); i++)
            {
                Console.WriteLine($"  {watch.ResponseStream.Current.Celsius:F1} °C");
            }
        }

        Require(peers.TryGetPeer("device-3", out var third), "device-3 is there");
        third!.Session.Abort();
        var waiting = peers.GetClient<Device.DeviceClient>("device-3", new PeerCallOptions { WaitForReady = true }).RestartAsync(new RestartRequest(), cancellationToken: cancellation);
        Console.WriteLine($"device-3's connection was cut; a call that waited for it: {(await waiting).Restarts} restarts");
        Require(peers.TryGetPeer("device-3", out var again) && again.Id != third.Id, "it has come back on another connection");

        await DrainAsync(server, cancellation);
        Console.WriteLine("ok: three devices, called by name in both directions, one lost and found, all drained");
    }

    private static async Task DrainAsync(WebApplication server, CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetTimestamp();
        await server.StopAsync(cancellation);
        Console.WriteLine($"drained and stopped in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1} s");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"The demo has not shown that {what}.");
        }
    }
}
