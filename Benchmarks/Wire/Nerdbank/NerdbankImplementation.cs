using System.Net;
using Nerdbank.Streams;

namespace Benchmarks.Wire.Nerdbank;

/// <summary>Nerdbank.Streams' MultiplexingStream, in the version of its protocol that has windows and no handshake.</summary>
internal sealed class NerdbankImplementation : IImplementation
{
    private const int ProtocolVersion = 3;

    // What yamux begins with; its own default is smaller.
    private const int SmallestWindow = 256 * 1024;

    public string Name => "nerdbank";

    public async Task<WireClient> ConnectAsync(IPEndPoint address, WireSettings settings)
        => new NerdbankClient(MultiplexingStream.Create(await Transport.ConnectAsync(address, settings.Tls), Options(settings)));

    public async Task ServeAsync(Stream connection, WireSettings settings)
    {
        var options = Options(settings);
        options.StartSuspended = true;
        await using var session = MultiplexingStream.Create(connection, options);
        session.ChannelOffered += (_, offer) =>
        {
            var channel = session.AcceptChannel(offer.QualifiedId.Id);
            _ = Task.Run(() => StreamServer.ServeAsync(new NerdbankStream(channel)));
        };
        session.StartListening();
        await session.Completion;
    }

    private static MultiplexingStream.Options Options(WireSettings settings)
    {
        var options = new MultiplexingStream.Options { ProtocolMajorVersion = ProtocolVersion };
        options.DefaultChannelReceivingWindowSize = settings.Window ?? SmallestWindow;
        if (settings.Window is { } window)
        {
            options.MaxChannelReceivingWindowSize = window;
        }

        return options;
    }
}
