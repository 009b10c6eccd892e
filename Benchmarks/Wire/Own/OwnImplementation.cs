using System.Net;
using Yamux;

namespace Benchmarks.Wire.Own;

/// <summary>The engine of this repository.</summary>
internal sealed class OwnImplementation : IImplementation
{
    private readonly Func<YamuxStream, WireStream> _wrap;

    private OwnImplementation(string name, Func<YamuxStream, WireStream> wrap)
    {
        Name = name;
        _wrap = wrap;
    }

    /// <summary>Its streams as the fastest public face has them.</summary>
    public static OwnImplementation Pipes { get; } = new("ours", stream => new OwnStream(stream));

    /// <summary>Its streams as a <see cref="Stream"/>: what a layer above that gives no more is to be compared with.</summary>
    public static OwnImplementation Views { get; } = new("bare", stream => new OwnViewStream(stream));

    public string Name { get; }

    public async Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings) => new OwnClient(
        YamuxSession.Create(await Transport.ConnectAsync(address, settings.Tls), YamuxRole.Client, OwnOptions.Create(settings)), _wrap);

    public async Task ServeAsync(Stream connection, WireSettings settings)
    {
        await using var session = YamuxSession.Create(connection, YamuxRole.Server, OwnOptions.Create(settings));
        try
        {
            await foreach (var stream in session.AcceptStreamsAsync())
            {
                _ = StreamServer.ServeAsync(_wrap(stream));
            }
        }
        catch (YamuxException)
        {
            // The client has gone without a word, as it does when it is killed.
        }
    }
}
