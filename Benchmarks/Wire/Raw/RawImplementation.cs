using System.Net;

namespace Benchmarks.Wire.Raw;

/// <summary>No streams in a connection: each is a connection of its own.</summary>
internal sealed class RawImplementation : IImplementation
{
    public string Name => "raw";

    public Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings) => Task.FromResult<WireClient>(new RawClient(address, settings));

    public Task ServeAsync(Stream connection, WireSettings settings) => StreamServer.ServeAsync(new RawStream(connection));
}
