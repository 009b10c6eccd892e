using Conformance.Running;
using Conformance.Wire;
using static Conformance.Running.Requirement;

namespace Conformance.Cases;

/// <summary>Sessions that end because their connection does, at every kind of place.</summary>
internal static class EndCases
{
    public static IEnumerable<SpecCase> All { get; } =
    [
        new("end.1", Must, "The end of the connection before any frame is answered by its end.", "spec: Session termination", peer => EndAsync(peer)),
        new("end.2", Must, "The end of the connection between two frames is answered by its end.", "spec: Session termination", async peer =>
        {
            await peer.EchoAsync(await peer.OpenAsync(), TestedPeer.Pattern(100));
            await EndAsync(peer);
        }),
        new("end.3", Must, "The end of the connection within a header is answered by its end.", "a peer that died", async peer =>
        {
            await peer.OpenAsync();
            await EndAsync(peer, Frame.Ping(1).ToBytes().AsMemory(0, 7));
        }),
        new("end.4", Must, "The end of the connection within a payload is answered by its end.", "a peer that died", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.DataHeader(stream.Id, 1000));
            await peer.SendPayloadAsync(stream, TestedPeer.Pattern(500));
            await EndAsync(peer);
        }),
        new("end.5", Must, "The end of the connection while an echo is stalled is answered by its end.", "a writer that waits for ever", async peer =>
        {
            await CreditCases.StallAsync(peer);
            await EndAsync(peer);
        }),
        new("end.6", Must, "The end of the connection with 100 streams open is answered by its end.", "spec: Session termination", async peer =>
        {
            for (var number = 1u; number <= 100; number++)
            {
                await peer.EstablishAsync(number);
            }

            await EndAsync(peer);
        }),
        new("end.7", Must, "A connection that is reset does no harm: the next one works.", "a host that died", async peer =>
        {
            await CreditCases.StallAsync(peer);
            peer.Connection.Reset();
            await peer.ReconnectAsync();
            await peer.ExpectAliveAsync();
        }),
        new("end.8", Must, "A frame that breaks the protocol ends the session also while an echo is under way.", "bad input ends a session in bounded time", async peer =>
        {
            var stream = await peer.OpenAsync();
            await peer.SendAsync(Frame.Data(stream.Id, TestedPeer.Pattern(50_000)), Frame.Ping(1) with { Version = 9 });
            await peer.ExpectEndAsync();
        }),
        ProtocolError.Case("end.9", "A frame that breaks the protocol, while 8 MiB of the echo wait to be read,", "hashicorp/yamux#86: what is queued is lost when the connection is closed", async peer =>
        {
            await peer.FillUnreadAsync(1, 32);
            await peer.SendAsync(Frame.Ping(1) with { Version = 9 });
            peer.Connection.ResumeReading();
        }),
    ];

    private static async Task EndAsync(TestedPeer peer, ReadOnlyMemory<byte> last = default)
    {
        if (last.Length > 0)
        {
            await peer.SendRawAsync(last, $"{last.Length} bytes of a header");
        }

        peer.EndSending();
        await peer.ExpectEndAsync();
    }
}
