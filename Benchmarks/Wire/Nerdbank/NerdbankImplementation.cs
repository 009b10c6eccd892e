using System.Net;
using Nerdbank.Streams;

namespace Benchmarks.Wire.Nerdbank;

/// <summary>Nerdbank.Streams' MultiplexingStream, in the version of its protocol that has windows and no handshake.</summary>
internal sealed class NerdbankImplementation : IImplementation
{
    private const int ProtocolVersion = 3;

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
        if (settings.Window is { } window)
        {
            // With nothing to grow into, it stays as it is.
            options.DefaultChannelReceivingWindowSize = window;
            options.MaxChannelReceivingWindowSize = window;
        }

        if (settings.MaxWindow is { } maxWindow)
        {
            options.MaxChannelReceivingWindowSize = maxWindow;
        }

        return options;
    }
}
