using System.Net;
using Fleet;

const string Usage =
    """
    usage: dotnet run --project Samples/Fleet                                     a server and three devices in one process
           dotnet run --project Samples/Fleet -- server [DEVICES] [PEOPLE]       a server; defaults 127.0.0.1:5001 and 127.0.0.1:5000, port 0 takes a free one
           dotnet run --project Samples/Fleet -- agent NAME [SERVER]             a device; default https://localhost:5001

    Server and devices that run apart have their certificates from one authority, in the folder fleet-certificates of the current one.
    """;

switch (args)
{
    case []:
        return await FleetDemo.RunAsync();
    case ["server", .. { Length: <= 2 } places]:
        return await RunServerAsync(places);
    case ["agent", var name, .. { Length: <= 1 } server]:
        await FleetDevice.Create(server is [var address] ? address : "https://localhost:5001", name, FleetCertificates.LoadOrCreate("fleet-certificates"), logging => logging.AddSimpleConsole()).RunAsync();
        return 0;
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}

async Task<int> RunServerAsync(string[] places)
{
    if (!TryParse(places.ElementAtOrDefault(0), 5001, out var devices) || !TryParse(places.ElementAtOrDefault(1), 5000, out var people))
    {
        await Console.Error.WriteLineAsync(Usage);
        return 2;
    }

    await FleetServer.Create(devices, people, FleetCertificates.LoadOrCreate("fleet-certificates"), logging => logging.AddSimpleConsole()).RunAsync();
    return 0;
}

static bool TryParse(string? place, int port, out IPEndPoint endPoint)
{
    endPoint = new IPEndPoint(IPAddress.Loopback, port);
    return place is null || ((place.StartsWith('[') || place.Count(character => character == ':') == 1) && IPEndPoint.TryParse(place, out endPoint!));
}
