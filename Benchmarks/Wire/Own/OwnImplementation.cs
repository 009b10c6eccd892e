using System.Net;
using Yamux;

namespace Benchmarks.Wire.Own;

/// <summary>The engine of this repository.</summary>
internal sealed class OwnImplementation : IImplementation
{
    public string Name => "ours";

    public async Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings)
        => new OwnClient(YamuxSession.Create(await Transport.ConnectAsync(address, settings.Tls), YamuxRole.Client, OwnOptions.Create(settings)));

    public async Task ServeAsync(Stream connection, WireSettings settings)
    {
        await using var session = YamuxSession.Create(connection, YamuxRole.Server, OwnOptions.Create(settings));
        while (await session.AcceptStreamAsync() is { } stream)
        {
            _ = StreamServer.ServeAsync(new OwnStream(stream));
        }
    }
}
