using System.Net;

namespace Benchmarks.Wire.Raw;

internal sealed class RawClient(IPEndPoint address, WireSettings settings) : WireClient
{
    public override async ValueTask<WireStream> OpenAsync() => new RawStream(await Transport.ConnectAsync(address, settings.Tls));

    public override ValueTask DisposeAsync() => default;
}
