using System.Buffers.Binary;
using System.Net;
using Benchmarks.Wire.Own;
using Sidechannel;
using Yamux;

namespace Benchmarks.Wire.Sidechannels;

/// <summary>
/// Sidechannels of this repository, without gRPC: the client asks for each on a stream of its own, where a call would carry the id, and the server opens
/// it and serves it as it serves any stream.
/// </summary>
internal sealed class SidechannelImplementation : IImplementation
{
    public string Name => "sidechannel";

    public async Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings)
    {
        var session = YamuxSession.Create(await Transport.ConnectAsync(address, settings.Tls), YamuxRole.Client, OwnOptions.Create(settings));
        return new SidechannelClient(session, await session.OpenStreamAsync());
    }

    public async Task ServeAsync(Stream connection, WireSettings settings)
    {
        await using var session = YamuxSession.Create(connection, YamuxRole.Server, OwnOptions.Create(settings));
        if (await session.AcceptStreamAsync() is not { } requests)
        {
            return;
        }

        var id = new byte[sizeof(long)];
        while (await requests.AsStream().ReadAtLeastAsync(id, id.Length, throwOnEndOfStream: false) == id.Length)
        {
            _ = ServeAsync(session, BinaryPrimitives.ReadInt64BigEndian(id));
        }
    }

    private static async Task ServeAsync(YamuxSession session, long id)
    {
        try
        {
            await StreamServer.ServeAsync(new SidechannelWireStream(await session.OpenSidechannelAsync(id)));
        }
        catch (IOException error)
        {
            await Console.Error.WriteLineAsync($"a sidechannel failed: {error.Message}");
        }
    }
}
